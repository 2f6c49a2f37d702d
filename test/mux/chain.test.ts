/** Lists whose members know their neighbours, against arrays. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Chain, type Link } from "../../src/mux/chain.ts";

class Member implements Link<Member> {
  chain: Link<Member>["chain"];
  before: Member | undefined;
  after: Member | undefined;
}

function membersOf(chain: Chain<Member>): Member[] {
  const members: Member[] = [];
  for (let member = chain.first; member; member = member.after) members.push(member);
  return members;
}

test("several chains of the same members are what arrays would be", () => {
  const step = fc.record({ push: fc.boolean(), member: fc.nat(5), chain: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const members = Array.from({ length: 6 }, () => new Member());
      const chains = [0, 1, 2].map(() => new Chain<Member>());
      let lists: Member[][] = [[], [], []];
      for (const { push, member: which, chain: where } of steps) {
        const [member, chain] = [members[which] as Member, chains[where] as Chain<Member>];
        if (push) {
          chain.push(member);
          lists = lists.map((list, index) => [
            ...list.filter((each) => each !== member),
            ...(index === where ? [member] : []),
          ]);
        } else {
          // One that is in another chain stays there.
          chain.remove(member);
          lists = lists.map((list, index) => (index === where ? list.filter((each) => each !== member) : list));
        }
        expect(chains.map(membersOf)).toEqual(lists);
        for (const [index, list] of lists.entries()) {
          for (const [at, each] of list.entries()) {
            expect(each.chain === chains[index] && each.before === list[at - 1]).toBe(true);
          }
        }
      }
      const free = members.filter((member) => !lists.flat().includes(member));
      for (const { chain, before, after } of free)
        expect([chain, before, after]).toEqual([undefined, undefined, undefined]);
    }),
  );
});

test("one that is pushed again goes to the end", () => {
  const chain = new Chain<Member>();
  const [one, two] = [new Member(), new Member()];
  for (const member of [one, two, one]) chain.push(member);
  expect(membersOf(chain)).toEqual([two, one]);
});
