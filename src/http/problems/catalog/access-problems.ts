import type { ProblemKinds } from '../problem-kind.ts'

/** A guard refuses the caller. */
export const ACCESS_PROBLEMS = {
  unauthorized: {
    status: 401,
    title: 'Unauthorized',
    meaning: 'The request has no token, or one that the service does not know.',
    remedy:
      'Send `Authorization: Bearer <token>`. `campaignd token create` makes a token and its line for the tokens file.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    meaning: 'The role of the token does not permit the call.',
    remedy:
      'Use a token of the role that `detail` names. `read` reads everything; `work` also reports, claims, retries and resumes; ' +
      '`admin` also creates, changes and deletes campaigns.',
  },
  'cross-site-refused': {
    status: 403,
    title: 'Cross-site request refused',
    meaning:
      'A browser sends the request for a page of another origin, which is not in CAMPAIGND_CORS_ORIGINS. Nothing was changed.',
    remedy: 'To permit the page, add its origin to CAMPAIGND_CORS_ORIGINS.',
  },
  'misdirected-request': {
    status: 421,
    title: 'Misdirected request',
    meaning: 'The header Host names a host that is not in CAMPAIGND_ALLOWED_HOSTS.',
    remedy: 'Call the service as localhost or by its address, or add the name to CAMPAIGND_ALLOWED_HOSTS.',
  },
  'too-many-requests': {
    status: 429,
    title: 'Too many requests',
    meaning:
      'The token, or the address, sends more requests a second than CAMPAIGND_RATE_LIMIT allows; or a connection has more than ' +
      '64 requests that wait for a response.',
    remedy: 'Repeat the call after the seconds in Retry-After.',
    retryAfter: 1,
  },
} as const satisfies ProblemKinds
