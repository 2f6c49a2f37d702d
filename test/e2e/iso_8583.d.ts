/** What the tests use of npm's iso_8583, which has no types of its own. */
declare module "iso_8583" {
  /** By number; 0 is the message type. */
  export type Fields = Record<string, string>;

  export default class Iso8583 {
    constructor(fields?: Fields);
    validateMessage(): boolean | { error: string };
    /** With a length of two bytes in front. */
    getBufferMessage(): Buffer | { error: string };
    /** Of a message with its length. */
    getIsoJSON(message: Buffer): Fields | { error: string };
    /** Makes the message type that of the response. */
    toResponse(): Fields;
  }
}
