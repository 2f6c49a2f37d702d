/**
 * HTTP/1.1 and 1.0 (RFC 9112): many clients share a few connections to a server. What a target could understand otherwise
 * than weir does is refused, since what one client sends would become the request of another.
 */
import type { Protocol } from "../message.ts";
import { failure, type HttpContext } from "./http-own.ts";
import { HttpReplies } from "./http-replies.ts";
import { HttpRequests } from "./http-requests.ts";

export const http: Protocol = {
  summary: "HTTP/1.1: keep-alive to the target, whatever clients do; ambiguous requests are refused",
  example: "0.0.0.0:8080 127.0.0.1:8000",
  announcesEnd: true,
  cautious: true,
  apologizes: true,
  requests: ({ maxMessage }) => new HttpRequests(maxMessage),
  replies: ({ maxMessage }) => new HttpReplies(maxMessage),
  keys: () => undefined,
  failure: (kind, context) => failure(kind, context as HttpContext | undefined),
};
