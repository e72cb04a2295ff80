import type { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Campaign } from '../../domain/campaign/campaign.ts'
import {
  csvPieces,
  type ExperimentTable,
  experimentTable,
  MAX_METRIC_COLUMNS,
} from '../../domain/formats/experiments-csv.ts'
import type { LongWork } from '../../domain/long-work.ts'
import { type ExperimentFilter, matchingExperiments } from '../../domain/views/experiment-list.ts'
import type { Committed } from '../../repository/campaign-store.ts'
import { inTurns } from '../../runtime/turns.ts'
import { invalidParameter } from '../problems/problem.ts'
import { download, type DownloadParts, saveAs } from './download.ts'
import { textPieces } from './pieces.ts'

const CSV_TYPE = 'text/csv; charset=utf-8; header=present'

export interface CsvParts extends DownloadParts {
  readonly service: DownloadParts['service'] & { readonly stopping: AbortSignal }
}

/**
 * All experiments that match as a file of CSV, to be returned by a handler.
 * @throws DomainError `invalid` when they have too many metrics for a table
 */
export async function csvReply(
  reply: FastifyReply,
  parts: CsvParts,
  committed: Committed,
  filter: ExperimentFilter,
): Promise<Buffer | Readable> {
  const { campaign } = committed
  const table = await inTurns(tableOf(campaign, filter), parts.service.stopping, 'response')
  if (table === null) {
    reply.removeHeader('etag')
    const detail = `of CSV has a column for each metric, at most ${MAX_METRIC_COLUMNS}: ask for fewer experiments`
    throw invalidParameter('query', 'format', detail)
  }
  saveAs(reply, `${campaign.header.campaign_id}.csv`)
  return download(reply, parts, committed, textPieces(reply, CSV_TYPE, csvPieces(table)))
}

function* tableOf(campaign: Campaign, filter: ExperimentFilter): LongWork<ExperimentTable | null> {
  return yield* experimentTable(campaign, yield* matchingExperiments(campaign, filter))
}
