import type { FastifyPluginAsync } from 'fastify'
import type { RouteDependencies } from '../dependencies.ts'
import { createCampaign } from './campaigns/create-campaign.ts'
import { deleteCampaign } from './campaigns/delete-campaign.ts'
import { getCampaign } from './campaigns/get-campaign.ts'
import { getProgress } from './campaigns/get-progress.ts'
import { listCampaigns } from './campaigns/list-campaigns.ts'
import { patchCampaign } from './campaigns/patch-campaign.ts'
import { resumeCampaign } from './campaigns/resume-campaign.ts'
import { retryExperiments } from './campaigns/retry-experiments.ts'
import { saveCampaign } from './campaigns/save-campaign.ts'
import { streamCampaign, streamCampaigns } from './events/event-streams.ts'
import { appendExperiments } from './experiments/append-experiments.ts'
import { getExperiment } from './experiments/get-experiment.ts'
import { listExperiments } from './experiments/list-experiments.ts'
import { reportExperiment } from './experiments/report-experiment.ts'
import { reportExperiments } from './experiments/report-experiments.ts'
import { dashboardRoutes } from './service/dashboard.ts'
import { healthRoutes } from './service/health.ts'
import { metricsRoutes } from './service/metrics.ts'
import { problemRoutes } from './service/problems.ts'
import { claimExperiments } from './workers/claim-experiments.ts'
import { listWorkers } from './workers/list-workers.ts'
import { patchWorker } from './workers/patch-worker.ts'
import { sendHeartbeat } from './workers/send-heartbeat.ts'

/** In the order of the OpenAPI document. */
const V1 = [
  createCampaign,
  listCampaigns,
  getCampaign,
  saveCampaign,
  patchCampaign,
  deleteCampaign,
  getProgress,
  listExperiments,
  appendExperiments,
  reportExperiments,
  getExperiment,
  reportExperiment,
  claimExperiments,
  sendHeartbeat,
  listWorkers,
  patchWorker,
  streamCampaign,
  streamCampaigns,
  retryExperiments,
  resumeCampaign,
]

export const routes: FastifyPluginAsync<RouteDependencies> = async (app, dependencies) => {
  await app.register(healthRoutes, dependencies)
  await app.register(metricsRoutes, dependencies)
  await app.register(problemRoutes)
  await app.register(dashboardRoutes)
  for (const route of V1) await app.register(route, { prefix: '/v1', ...dependencies })
}
