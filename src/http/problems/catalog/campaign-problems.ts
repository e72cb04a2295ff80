import { problemKind, type ProblemKinds } from '../problem-kind.ts'

/** The state of the campaign does not permit the call. */
export const CAMPAIGN_PROBLEMS = {
  'campaign-not-found': problemKind(404, 'No such campaign', {
    meaning: 'There is no campaign with this id. It may have been deleted.',
    remedy: 'List the campaigns with GET /v1/campaigns.',
  }),
  'campaign-exists': problemKind(409, 'Campaign exists', {
    meaning: 'There is a campaign with this id, made by another body. Nothing was changed.',
    remedy:
      'To take over what is further ahead in the body, post it with ?on_exists=merge; to create it beside the other one, with another ' +
      '?campaign_id=. To continue the existing campaign, resume it.',
  }),
  'campaign-full': problemKind(409, 'Campaign is full', {
    meaning:
      'With these experiments the manifest would have more than 80 % of CAMPAIGND_MAX_CAMPAIGN_BYTES; the rest is for what workers ' +
      'report. `detail` has the figures. Nothing was changed.',
    remedy:
      'Put the experiments into a further campaign, give shorter names and paths, or raise CAMPAIGND_MAX_CAMPAIGN_BYTES. Reports are ' +
      'never refused for it.',
  }),
  'would-lose': problemKind(409, 'Would lose experiments', {
    meaning:
      'The manifest would overwrite experiments that are completed or run under a live lease, or it lacks experiments that the ' +
      'campaign has. `would_lose` counts them and has the first ten, each with the reason. Nothing was changed.',
    remedy:
      'Get the campaign, and save a manifest that has what it has. ?force=true overwrites what is completed or leased; what is missing ' +
      'is never removed.',
  }),
  'campaign-running': problemKind(409, 'Campaign is running', {
    meaning: 'Experiments of the campaign are running, so it is not deleted.',
    remedy: 'Wait for them, or delete with ?force=true.',
  }),
  'campaign-corrupt': problemKind(409, 'Campaign is corrupt', {
    meaning:
      'The file of the campaign is not one that the service would write: not JSON, not a manifest, of a newer version, under ' +
      'another name, a link, or changed from outside. It is left unchanged and never overwritten.',
    remedy: 'Repair the file in the data directory and restart, or DELETE with ?force=true to move it aside.',
  }),
} satisfies ProblemKinds

/** The state or the config of experiments does not permit the call. */
export const EXPERIMENT_PROBLEMS = {
  'experiment-not-found': problemKind(404, 'No such experiment', {
    meaning: 'The campaign has no experiment with this id.',
    remedy: 'List them with GET /v1/campaigns/{campaign_id}/experiments.',
  }),
  'worker-not-found': problemKind(404, 'No such worker', {
    meaning: 'No worker of this name is known to have run an experiment of the campaign.',
    remedy:
      'Take its name as it stands in GET /v1/campaigns/{campaign_id}/workers or with an experiment, percent-encoded.',
  }),
  'experiment-exists': problemKind(409, 'Experiment exists', {
    meaning: 'The campaign has an experiment with this id and another definition. Nothing was changed.',
    remedy: 'Choose another exp_id.',
  }),
  'already-running': problemKind(409, 'Already running', {
    meaning: 'Another worker runs the experiment. `experiment` shows which one, and since when.',
    remedy: 'Claim another experiment. If the worker is gone, set the experiment back to status pending, or resume.',
  }),
  'not-the-owner': problemKind(409, 'Not the owner', {
    meaning: 'The attempt belongs to another worker than the report names. Nothing was changed.',
    remedy: 'Stop: another worker runs the experiment.',
  }),
  'stale-attempt': problemKind(409, 'Stale attempt', {
    meaning:
      'The report names an attempt that is not the current one. Nothing was changed; `experiment` shows the current state.',
    remedy: 'Stop the work on that attempt: it has ended, and another worker may run the experiment.',
  }),
  'transition-refused': problemKind(409, 'Transition refused', {
    meaning: 'The status of the experiment does not permit this report. Nothing was changed; `experiment` shows it.',
    remedy: 'Follow the hint in `detail`.',
  }),
  'no-lease': problemKind(409, 'No lease', {
    meaning:
      'The heartbeat is of an attempt without a lease: it has ended, it was started without one, or the lease ran out. ' +
      '`experiment` shows the current state.',
    remedy:
      'Stop the work on that attempt, unless it was started without a lease: that one needs no heartbeats. Its result may still ' +
      'be reported: it counts as long as the experiment was not started again.',
  }),
  'nothing-matches': problemKind(422, 'Nothing matches', {
    meaning:
      'No experiment of the campaign has the backend or the container that the claim asks for. `detail` lists those that there are.',
    remedy: 'Correct the name. A worker must not take this for the end of the campaign.',
  }),
  'claim-id-used': problemKind(409, 'Claim id used', {
    meaning:
      'An earlier claim had this claim_id, and the present one is no repeat of it: it is of another worker or asks for something else, ' +
      'a heartbeat or a report of its runs has arrived, or its leases have ended.',
    remedy:
      'Claim with a new claim_id, and go on. Nothing was claimed, and no report that came along was counted: send both again.',
  }),
  'config-changed': problemKind(409, 'Config changed', {
    meaning:
      'The config is not the one that the campaign was created with. `changed`, `added` and `removed` list the differences.',
    remedy: 'Resume with on_config_change `rerun_changed` or `accept`, or create a new campaign.',
  }),
  'batch-refused': problemKind(409, 'Batch refused', {
    meaning:
      'At least one update of an atomic batch is refused, so none was made. `results` has the outcome of each update.',
    remedy: 'Correct the updates that are refused, or send the batch without ?atomic=true.',
  }),
} satisfies ProblemKinds
