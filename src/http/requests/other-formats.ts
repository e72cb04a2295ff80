import type { FastifyRequest, preValidationAsyncHookHandler } from 'fastify'
import { invalid } from '../../domain/errors.ts'
import { isStudy, studyDraft, StudyManifest } from '../../domain/formats/study-manifest.ts'
import { inTurns } from '../../runtime/turns.ts'
import { timezoneOf } from './parameters.ts'

const READ =
  'read are a campaign of this service, a CampaignManifest of llenergymeasure (both have campaign_name, config_hash and experiments), ' +
  'and its StudyManifest (schema_version "2.0")'

/** Keys of which every format has one. */
const KEYS = ['campaign_name', 'config_hash', 'experiments', 'matrix', 'schema_version']

/** Brings a body of another format that is known into ours, before it is validated. */
export function otherFormats(stopping: AbortSignal): preValidationAsyncHookHandler {
  return async (request) => {
    const { body } = request
    if (isStudy(body))
      request.body = await inTurns(studyDraft(await checkedStudy(request), givenTimezone(request)), stopping)
    else if (isOfNone(body))
      throw invalid({ pointer: '', detail: `looks like none of the formats that are read: ${READ}` })
  }
}

function isOfNone(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false
  return !KEYS.some((key) => key in body)
}

async function checkedStudy(request: FastifyRequest): Promise<StudyManifest> {
  const { body } = request
  const { schema_version: version } = body as { readonly schema_version: unknown }
  if (version !== '2.0') {
    throw invalid({ pointer: '/schema_version', detail: `is ${JSON.stringify(version)}, which is not read: ${READ}` })
  }
  const isValid = request.compileValidationSchema(StudyManifest, 'body') as unknown as Validator
  try {
    if (await isValid(body)) return body as StudyManifest
  } catch (error) {
    throw Object.assign(error as Error, { validationContext: 'body' })
  }
  throw Object.assign(new Error('the body is not valid'), { validation: isValid.errors, validationContext: 'body' })
}

/** Of a query that is not validated yet: one of another type is refused then. */
function givenTimezone({ query }: FastifyRequest): string {
  const { timezone } = query as { readonly timezone?: unknown }
  return timezoneOf(typeof timezone === 'string' ? { timezone } : {})
}

interface Validator {
  (value: unknown): boolean | Promise<boolean>
  readonly errors?: unknown
}
