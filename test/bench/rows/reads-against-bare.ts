import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compare } from '../compare.js'
import { BY_STATUS, MANIFEST, NOT_MODIFIED, prepareReading, PROGRESS, type Reading } from '../load/reading.js'
import { BYTES, CONNECTIONS, SECONDS, type Finding, type Measure, type Row } from '../row.js'
import { startBaseline, startCampaignd } from '../services/child.js'

interface Bare {
  /** Where bare Fastify has it ready. */
  readonly path: '/text' | '/buffer'
  readonly by?: Measure
}

const TEXT: Bare = { path: '/text' }

export const readsAgainstBare: readonly Row[] = [
  row(PROGRESS, 0.8, TEXT),
  row(NOT_MODIFIED, 0.9, TEXT),
  row(MANIFEST, 0.9, { path: '/buffer', by: BYTES }),
  row(BY_STATUS, 0.5, TEXT),
]

function row(reading: Reading, goal: number, bare: Bare): Row {
  const lying = bare === TEXT ? 'that JSON' : 'a Buffer of that size'
  return {
    name: reading.name,
    title: `${reading.what}, ${CONNECTIONS} connections, N = ${reading.n}, against bare Fastify sending ${lying}`,
    goal: { atLeast: goal },
    measure: (directory) => measureReads(directory, reading, bare),
  }
}

async function measureReads(directory: string, reading: Reading, bare: Bare): Promise<Finding> {
  const ours = await startCampaignd(join(directory, 'data'))
  try {
    const { request, text, tag } = await prepareReading(ours.url, reading)
    const file = join(directory, 'answer.json')
    writeFileSync(file, text)
    const baseline = await startBaseline('bare-service.ts', file, tag)
    try {
      const load = { ...request, connections: CONNECTIONS, seconds: SECONDS }
      return await compare({ ...load, url: ours.url }, { ...load, url: baseline.url, paths: [bare.path] }, bare.by)
    } finally {
      await baseline.stop()
    }
  } finally {
    await ours.stop()
  }
}
