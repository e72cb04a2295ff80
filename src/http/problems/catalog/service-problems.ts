import { problemKind, type ProblemKinds } from '../problem-kind.ts'

/** The service cannot do it now: nearly always, the same request succeeds later. */
export const SERVICE_PROBLEMS = {
  internal: problemKind(500, 'Internal error', {
    meaning: 'The service failed in a way that it should not.',
    remedy: 'Search the log for the request id in the response header x-request-id, and report the error.',
  }),
  'store-unavailable': problemKind(503, 'Store unavailable', {
    meaning: 'The change could not be written. Nothing was changed.',
    remedy: 'Repeat the call. If the problem stays, look at the log and at the disk of the data directory.',
    retryAfter: 1,
  }),
  'durability-unknown': problemKind(503, 'Durability unknown', {
    meaning: 'The store failed while it made the change durable. After the restart the change may be there or not.',
    remedy: 'Repeat the call: every report, create with an id or a key, append, retry and resume may be repeated.',
    retryAfter: 5,
  }),
  overloaded: problemKind(503, 'Overloaded', {
    meaning:
      'The event loop of the service is late. It refuses reads so that workers can report; later it refuses other calls too. ' +
      'Nothing was changed.',
    remedy: 'Repeat the call. In place of frequent polling, use a long poll (`wait`) or a stream of events.',
    retryAfter: 1,
  }),
  'too-much-unsent': problemKind(503, 'Too much unsent', {
    meaning:
      'Clients that do not read leave no room for the response: as many bytes wait for them as CAMPAIGND_MAX_UNSENT_BYTES ' +
      'allows. Only reads are refused for it.',
    remedy: 'Repeat the call: those that stand still are cut off within seconds.',
    retryAfter: 5,
  }),
  'too-much-incoming': problemKind(503, 'Too much incoming', {
    meaning:
      'The bodies of other requests leave no room for this one: together they may take one and a half times ' +
      'CAMPAIGND_MAX_CAMPAIGN_BYTES and 64 MiB, unpacked. Nothing was changed.',
    remedy: 'Repeat the call. Send large bodies one after the other.',
    retryAfter: 5,
  }),
  'too-many-waiting': problemKind(503, 'Too many long polls', {
    meaning: 'As many long polls are open as CAMPAIGND_MAX_WAITING allows. Nothing was changed.',
    remedy: 'Repeat the call, or send it without `wait` and `wait_seconds`.',
    retryAfter: 5,
  }),
  'too-many-streams': problemKind(503, 'Too many streams', {
    meaning: 'As many streams of events are open as CAMPAIGND_MAX_STREAMS or CAMPAIGND_MAX_STREAMS_PER_ADDRESS allows.',
    remedy: 'Close one, try later, or poll with the ETag.',
    retryAfter: 5,
  }),
  draining: problemKind(503, 'Draining', {
    meaning: 'The service is stopping and accepts no more changes. Nothing was changed.',
    remedy: 'Repeat the call once the service is back.',
    retryAfter: 5,
  }),
  'not-ready': problemKind(503, 'Not ready', {
    meaning: 'The service cannot accept changes now.',
    remedy: 'Wait; `detail` says why.',
    retryAfter: 5,
  }),
  'store-full': problemKind(507, 'Store full', {
    meaning: 'The disk of the data directory is full. Nothing was changed.',
    remedy: 'Free some space and repeat the call; no restart is needed.',
    retryAfter: 30,
  }),
} satisfies ProblemKinds
