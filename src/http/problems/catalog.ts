import type { DomainErrorCode } from '../../domain/errors.ts'
import type { RepositoryErrorCode } from '../../repository/campaign-store.ts'

/** Refusals that only HTTP knows. */
export type HttpErrorCode =
  | 'malformed-json'
  | 'malformed-url'
  | 'malformed-request'
  | 'unauthorized'
  | 'forbidden'
  | 'cross-site-refused'
  | 'not-found'
  | 'precondition-failed'
  | 'body-too-large'
  | 'url-too-long'
  | 'headers-too-large'
  | 'unsupported-media-type'
  | 'request-timeout'
  | 'expectation-failed'
  | 'misdirected-request'
  | 'too-many-requests'
  | 'too-many-waiting'
  | 'too-many-streams'
  | 'overloaded'
  | 'draining'
  | 'not-ready'
  | 'internal'

export type ProblemCode = DomainErrorCode | RepositoryErrorCode | HttpErrorCode

export interface ProblemKind {
  readonly status: number
  readonly title: string
  readonly meaning: string
  /** What the caller can do about it. */
  readonly remedy: string
  /** Seconds after which to try again. */
  readonly retryAfter?: number
}

/** Every problem there is. The compiler holds this list and the codes in use together. */
export const PROBLEMS: Readonly<Record<ProblemCode, ProblemKind>> = {
  invalid: {
    status: 400,
    title: 'Invalid input',
    meaning: 'A field of the body, the query or the path is missing, unknown or has a value that it cannot have.',
    remedy: 'Correct what `errors` points at: each has a JSON pointer to the field and says what is wrong with it.',
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
    remedy: 'Percent-encode what is not a letter, a digit or one of `-._~`.',
  },
  'malformed-request': {
    status: 400,
    title: 'Malformed request',
    meaning: 'What came over the connection is not well-formed HTTP.',
    remedy: 'Check the client, and whatever stands between it and the service.',
  },
  unauthorized: {
    status: 401,
    title: 'Unauthorized',
    meaning: 'The call has no token, or one that the service does not know.',
    remedy:
      'Send `Authorization: Bearer <token>`. `campaignd token create` makes a token and the line for the tokens file that lets it in.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    meaning: 'The role of the token is not enough for the call.',
    remedy:
      'Use a token of the role that `detail` names. `read` sees everything; `work` also reports, claims, retries and resumes; ' +
      '`admin` also creates, changes and deletes campaigns.',
  },
  'cross-site-refused': {
    status: 403,
    title: 'Cross-site call refused',
    meaning: 'A browser makes the call for a page that is not ours and not listed. Nothing was changed.',
    remedy: 'If that page may, list its origin in CAMPAIGND_CORS_ORIGINS.',
  },
  'not-found': {
    status: 404,
    title: 'No such route',
    meaning: 'The service has no such path, or not with this method.',
    remedy: 'See /docs for what there is.',
  },
  'campaign-not-found': {
    status: 404,
    title: 'No such campaign',
    meaning: 'There is no campaign of this id. It may have been deleted.',
    remedy: 'See GET /v1/campaigns for what there is.',
  },
  'experiment-not-found': {
    status: 404,
    title: 'No such experiment',
    meaning: 'The campaign has no experiment of this id.',
    remedy: "See the campaign's experiments for what there is.",
  },
  'request-timeout': {
    status: 408,
    title: 'Request timeout',
    meaning: 'The request did not arrive in whole within the time that it may take.',
    remedy: 'Send it again.',
  },
  'campaign-exists': {
    status: 409,
    title: 'Campaign exists',
    meaning: 'There is a campaign of this id with another definition. Nothing was changed.',
    remedy: 'Choose another campaign_id, or leave it out. To go on with the one that exists, resume it.',
  },
  'campaign-running': {
    status: 409,
    title: 'Campaign is running',
    meaning: 'Experiments of the campaign are running, so it is not deleted.',
    remedy: 'Wait for them, or delete with ?force=true.',
  },
  'campaign-corrupt': {
    status: 409,
    title: 'Campaign is corrupt',
    meaning:
      'The file of the campaign is not one that the service would write: not JSON, not a manifest, of a newer version, under ' +
      'another name, a link, or changed from outside. It is left as it is and never overwritten.',
    remedy:
      'Look at the file in the data directory. Repair it and restart, or DELETE with ?force=true to move it aside.',
  },
  'experiment-exists': {
    status: 409,
    title: 'Experiment exists',
    meaning: 'The campaign has an experiment of this id with another definition. Nothing was appended.',
    remedy: 'Choose another exp_id.',
  },
  'already-running': {
    status: 409,
    title: 'Already running',
    meaning: 'Another worker runs the experiment. `experiment` shows which one, and since when.',
    remedy: 'Take another experiment. If the worker is gone, put the experiment back by status pending, or resume.',
  },
  'not-the-owner': {
    status: 409,
    title: 'Not the owner',
    meaning: 'The attempt belongs to another worker than the report names. Nothing was changed.',
    remedy: 'Stop: somebody else runs the experiment.',
  },
  'stale-attempt': {
    status: 409,
    title: 'Stale attempt',
    meaning:
      'The report names an attempt that is not the current one. Nothing was changed; `experiment` is how it stands.',
    remedy: 'Stop the work on that attempt: it was given up, and maybe taken over.',
  },
  'transition-refused': {
    status: 409,
    title: 'Transition refused',
    meaning: 'An experiment in its status cannot take this report. Nothing was changed; `experiment` is how it stands.',
    remedy: 'Follow the hint in `detail`.',
  },
  'no-lease': {
    status: 409,
    title: 'No lease',
    meaning:
      'The heartbeat is of an attempt that holds no lease: it has ended, it was started without one, or the lease ran out. ' +
      '`experiment` is how it stands.',
    remedy:
      'Stop the work on that attempt, unless it was started without a lease: that one needs no heartbeats. Its result may still ' +
      'be reported: it counts as long as nobody has started the experiment again.',
  },
  'config-changed': {
    status: 409,
    title: 'Config changed',
    meaning:
      'The config is not the one that the campaign was created with. `changed`, `added` and `removed` tell the difference.',
    remedy: 'Resume with on_config_change `rerun_changed` or `accept`, or create a new campaign.',
  },
  'batch-refused': {
    status: 409,
    title: 'Batch refused',
    meaning: 'At least one update of an atomic batch is refused, so none was made. `results` has the verdict on each.',
    remedy: 'Correct the ones that are refused, or send the batch without ?atomic=true.',
  },
  'precondition-failed': {
    status: 412,
    title: 'Precondition failed',
    meaning: 'The resource is not in the version that If-Match names. Nothing was changed.',
    remedy: 'Get it, decide anew, and repeat with its ETag.',
  },
  'body-too-large': {
    status: 413,
    title: 'Body too large',
    meaning: 'The body is larger than this call takes.',
    remedy: 'Send less at once; or raise CAMPAIGND_BODY_LIMIT, for creating and appending.',
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
    meaning: 'The header Expect asks for something that the service does not know.',
    remedy: 'Leave the header out, or send 100-continue.',
  },
  'misdirected-request': {
    status: 421,
    title: 'Misdirected request',
    meaning: 'The header Host has a name that the service does not go by.',
    remedy: 'Call it by localhost or by its address, or list the name in CAMPAIGND_ALLOWED_HOSTS.',
  },
  'too-many-requests': {
    status: 429,
    title: 'Too many requests',
    meaning:
      'The token, or the address, makes more requests a second than CAMPAIGND_RATE_LIMIT allows; or a connection asked more than ' +
      '64 times before it was answered.',
    remedy: 'Repeat the call after the seconds that Retry-After names.',
    retryAfter: 1,
  },
  'headers-too-large': {
    status: 431,
    title: 'Headers too large',
    meaning: 'The headers of the request are larger than the service takes.',
    remedy: 'Send fewer or shorter headers.',
  },
  internal: {
    status: 500,
    title: 'Internal error',
    meaning: 'The service failed in a way that it should not.',
    remedy: 'Look in the log for the request id of the answer, in its header x-request-id, and report it.',
  },
  'store-unavailable': {
    status: 503,
    title: 'Store unavailable',
    meaning: 'The change could not be written. Nothing was changed.',
    remedy: 'Repeat the call; if it goes on, look at the log and at the disk of the data directory.',
    retryAfter: 1,
  },
  'durability-unknown': {
    status: 503,
    title: 'Durability unknown',
    meaning:
      'The store failed after the change was made and before it was safe. It may be there after the restart or not.',
    remedy: 'Repeat the call: every report, create with an id or a key, append, retry and resume may be repeated.',
    retryAfter: 5,
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    meaning:
      'The service is late with all that it has to do, and refuses reads so that workers can report; later it refuses other ' +
      'calls too. Nothing was changed.',
    remedy: 'Repeat the call. Instead of polling, hold it with `wait`.',
    retryAfter: 1,
  },
  'too-many-waiting': {
    status: 503,
    title: 'Too many waiting',
    meaning: 'As many calls are held as CAMPAIGND_MAX_WAITING allows. Nothing was changed.',
    remedy: 'Repeat the call, or ask without waiting.',
    retryAfter: 5,
  },
  'too-many-streams': {
    status: 503,
    title: 'Too many streams',
    meaning: 'As many streams of events are open as CAMPAIGND_MAX_STREAMS or CAMPAIGND_MAX_STREAMS_PER_ADDRESS allows.',
    remedy: 'Close one, try later, or poll with the ETag.',
    retryAfter: 5,
  },
  draining: {
    status: 503,
    title: 'Draining',
    meaning: 'The service is stopping and takes no more changes. Nothing was changed.',
    remedy: 'Repeat the call once it is back.',
    retryAfter: 5,
  },
  'not-ready': {
    status: 503,
    title: 'Not ready',
    meaning: 'The service cannot take changes now.',
    remedy: 'Wait; `detail` says why.',
    retryAfter: 5,
  },
  'store-full': {
    status: 507,
    title: 'Store full',
    meaning: 'The disk of the data directory is full. Nothing was changed.',
    remedy: 'Free some room and repeat the call; no restart is needed.',
    retryAfter: 30,
  },
}
