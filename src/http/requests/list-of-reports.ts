import { type Static, Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { DomainError } from '../../domain/errors.ts'
import { ExpId } from '../../domain/experiment/experiment.ts'
import type { BatchItem } from '../../domain/operations/report-batch.ts'
import { ExperimentReport } from '../../domain/operations/report-request.ts'
import { fieldErrors } from '../problems/located-error.ts'

/** An item of a list of reports, by which the list is checked: of what is not valid beside its exp_id it fails alone. */
export const UncheckedReport = Type.Object({ exp_id: ExpId }, { additionalProperties: true })

/** The report, or why it is none. */
export function readReport(request: FastifyRequest, { exp_id, ...report }: Static<typeof UncheckedReport>): BatchItem {
  const isReport = request.compileValidationSchema(ExperimentReport, 'body')
  if (isReport(report)) return { exp_id, report }
  const errors = fieldErrors(isReport.errors ?? [], 'body')
  return { exp_id, refused: new DomainError('invalid', 'The update is not valid.', { errors }) }
}
