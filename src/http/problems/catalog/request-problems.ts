import type { ProblemKinds } from '../problem-kind.ts'

/** The request itself is at fault, whatever it is about. */
export const REQUEST_PROBLEMS = {
  invalid: {
    status: 400,
    title: 'Invalid input',
    meaning: 'A field of the body, the query or the path is missing, unknown or has a value that is not allowed.',
    remedy: 'Correct the fields in `errors`: each has a JSON pointer and says what is wrong.',
  },
  'malformed-json': {
    status: 400,
    title: 'Malformed JSON',
    meaning: 'The body is not JSON.',
    remedy: 'Send well-formed JSON in UTF-8.',
  },
  'malformed-url': {
    status: 400,
    title: 'Malformed URL',
    meaning: 'The path cannot be decoded.',
    remedy: 'Percent-encode every character that is not a letter, a digit or one of `-._~`.',
  },
  'malformed-request': {
    status: 400,
    title: 'Malformed request',
    meaning: 'The bytes on the connection are not well-formed HTTP.',
    remedy: 'Check the client and every proxy between it and the service.',
  },
  'not-found': {
    status: 404,
    title: 'No such route',
    meaning: 'The service has no such path, or not with this method.',
    remedy: 'See /docs for the paths and their methods.',
  },
  'request-timeout': {
    status: 408,
    title: 'Request timeout',
    meaning: 'The request did not arrive completely within its time limit.',
    remedy: 'Send it again.',
  },
  'precondition-failed': {
    status: 412,
    title: 'Precondition failed',
    meaning: 'The resource is not in the version that If-Match names. Nothing was changed.',
    remedy: 'Get the resource, decide again, and repeat the call with its ETag.',
  },
  'body-too-large': {
    status: 413,
    title: 'Body too large',
    meaning: 'The body is larger than this call accepts.',
    remedy: 'Send a smaller body. For creating and appending, CAMPAIGND_BODY_LIMIT can be raised.',
  },
  'url-too-long': {
    status: 414,
    title: 'URL too long',
    meaning: 'A part of the path is longer than any id can be.',
    remedy: 'Check the id: a campaign_id has at most 63 characters, an exp_id 128.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    meaning: 'The body is not declared as JSON.',
    remedy: 'Send it with Content-Type: application/json.',
  },
  'expectation-failed': {
    status: 417,
    title: 'Expectation failed',
    meaning: 'The header Expect has a value that the service does not support.',
    remedy: 'Leave the header out, or send 100-continue.',
  },
  'headers-too-large': {
    status: 431,
    title: 'Headers too large',
    meaning: 'The headers of the request are larger than the service accepts.',
    remedy: 'Send fewer or shorter headers.',
  },
} as const satisfies ProblemKinds
