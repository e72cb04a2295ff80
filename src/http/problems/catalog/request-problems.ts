import { problemKind, type ProblemKinds } from '../problem-kind.ts'

/** The request itself is at fault. */
export const REQUEST_PROBLEMS = {
  invalid: problemKind(400, 'Invalid input', {
    meaning: 'A field of the body, the query or the path is missing, unknown or has a value that is not allowed.',
    remedy: 'Correct the fields in `errors`: each has a JSON pointer and says what is wrong.',
  }),
  'malformed-json': problemKind(400, 'Malformed JSON', {
    meaning: 'The body is not JSON in UTF-8.',
    remedy: 'Send well-formed JSON in UTF-8.',
  }),
  'malformed-encoding': problemKind(400, 'Malformed encoding', {
    meaning: 'The body is not the gzip that Content-Encoding says: it is damaged, cut short or not compressed.',
    remedy: 'Compress the body, or leave out Content-Encoding.',
  }),
  'malformed-url': problemKind(400, 'Malformed URL', {
    meaning: 'The path or the query is not percent-encoded UTF-8.',
    remedy: 'Percent-encode every character that is not a letter, a digit or one of `-._~`.',
  }),
  'malformed-request': problemKind(400, 'Malformed request', {
    meaning: 'The bytes on the connection are not well-formed HTTP.',
    remedy: 'Check the client and every proxy between it and the service.',
  }),
  'not-found': problemKind(404, 'No such route', {
    meaning: 'The service has no such path.',
    remedy: 'See /docs for the paths. None but / and /docs/ ends with a slash.',
  }),
  'method-not-allowed': problemKind(405, 'Method not allowed', {
    meaning: 'The path has no such method. The header Allow lists those that it has.',
    remedy: 'See /docs for what each method does.',
  }),
  'request-timeout': problemKind(408, 'Request timeout', {
    meaning: 'The request did not arrive completely within its time limit.',
    remedy: 'Send it again.',
  }),
  'precondition-failed': problemKind(412, 'Precondition failed', {
    meaning: 'The resource is not in the version that If-Match names. Nothing was changed.',
    remedy: 'Get the resource, decide again, and repeat the call with its ETag.',
  }),
  'precondition-required': problemKind(428, 'Precondition required', {
    meaning:
      'There is a campaign with this id, and the call does not say which version of it is saved over. Nothing was changed.',
    remedy:
      'Get the campaign, and repeat the call with the ETag of that response as If-Match: it is refused if the campaign has changed since.',
  }),
  'body-too-large': problemKind(413, 'Body too large', {
    meaning: 'The body is larger than this call accepts.',
    remedy: 'Send a smaller body, or raise the setting that `detail` names.',
  }),
  'url-too-long': problemKind(414, 'URL too long', {
    meaning: 'A part of the path is longer than any id can be.',
    remedy: 'Check the id: a campaign_id has at most 63 characters, an exp_id 256.',
  }),
  'unsupported-media-type': problemKind(415, 'Unsupported media type', {
    meaning: 'The body is not declared as JSON in UTF-8.',
    remedy: 'Send it with Content-Type: application/json.',
  }),
  'unsupported-encoding': problemKind(415, 'Unsupported encoding', {
    meaning:
      'The body is compressed in a way that the service does not take. The header Accept-Encoding names what it takes.',
    remedy: 'Send it as gzip, or as it is.',
  }),
  'expectation-failed': problemKind(417, 'Expectation failed', {
    meaning: 'The header Expect has a value that the service does not support.',
    remedy: 'Leave the header out, or send 100-continue.',
  }),
  'headers-too-large': problemKind(431, 'Headers too large', {
    meaning: 'The headers of the request are larger than the service accepts.',
    remedy: 'Send fewer or shorter headers.',
  }),
  'unknown-method': problemKind(501, 'Unknown method', {
    meaning: 'The service does not know the method of the request.',
    remedy: 'See /docs for the methods of each path.',
  }),
} satisfies ProblemKinds

/** A guard refuses the caller. */
export const ACCESS_PROBLEMS = {
  unauthorized: problemKind(401, 'Unauthorized', {
    meaning: 'The request has no token, or one that the service does not know.',
    remedy:
      'Send `Authorization: Bearer <token>`. `campaignd token create` makes a token and its line for the tokens file.',
  }),
  forbidden: problemKind(403, 'Forbidden', {
    meaning: 'The role of the token does not permit the call.',
    remedy:
      'Use a token of the role that `detail` names. `read` reads everything; `work` also reports, claims, retries and resumes; ' +
      '`admin` also creates, changes and deletes campaigns.',
  }),
  'cross-site-refused': problemKind(403, 'Cross-site request refused', {
    meaning:
      'A browser sends the request for a page of another origin, which is not in CAMPAIGND_CORS_ORIGINS. Nothing was changed.',
    remedy: 'To permit the page, add its origin to CAMPAIGND_CORS_ORIGINS.',
  }),
  'misdirected-request': problemKind(421, 'Misdirected request', {
    meaning: 'The header Host names a host that is not in CAMPAIGND_ALLOWED_HOSTS.',
    remedy: 'Call the service as localhost or by its address, or add the name to CAMPAIGND_ALLOWED_HOSTS.',
  }),
  'too-many-requests': problemKind(429, 'Too many requests', {
    meaning:
      'The token, or the address, sends more requests a second than CAMPAIGND_RATE_LIMIT allows; or a connection has more than ' +
      '16 requests that wait for a response.',
    remedy: 'Repeat the call after the seconds in Retry-After.',
    retryAfter: 1,
  }),
} satisfies ProblemKinds
