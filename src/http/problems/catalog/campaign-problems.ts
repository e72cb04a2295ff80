import type { ProblemKinds } from '../problem-kind.ts'

/** The campaign does not permit the call. */
export const CAMPAIGN_PROBLEMS = {
  'campaign-not-found': {
    status: 404,
    title: 'No such campaign',
    meaning: 'There is no campaign with this id. It may have been deleted.',
    remedy: 'List the campaigns with GET /v1/campaigns.',
  },
  'campaign-exists': {
    status: 409,
    title: 'Campaign exists',
    meaning: 'There is a campaign with this id and another definition. Nothing was changed.',
    remedy: 'Choose another campaign_id, or leave it out. To continue the existing campaign, resume it.',
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
      'another name, a link, or changed from outside. It is left unchanged and never overwritten.',
    remedy:
      'Look at the file in the data directory. Repair it and restart, or DELETE with ?force=true to move it aside.',
  },
} as const satisfies ProblemKinds
