/**
 * What a promise is rejected with. `expect().rejects` runs the event loop from within, and under Bun messages of threads
 * then never come (oven-sh/bun#43819).
 */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  const nothing = Symbol();
  const error = await promise.then(
    () => nothing,
    (cause: unknown) => cause,
  );
  if (error === nothing) throw new Error("the promise was not rejected");
  return error;
}
