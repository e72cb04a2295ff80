import { BY_STATUS, MANIFEST, NOT_MODIFIED, prepareReading, PROGRESS } from '../../load/reading.js'
import { BYTES, CONNECTIONS } from '../../row.js'
import type { Comparison } from '../comparison.js'
import { loadComparison } from '../load-comparison.js'

export const reads: readonly Comparison[] = [PROGRESS, NOT_MODIFIED, MANIFEST, BY_STATUS].map((reading) =>
  loadComparison({
    name: reading.name,
    title: `${reading.what}, ${CONNECTIONS} connections, N = ${reading.n}`,
    ...(reading === MANIFEST ? { by: BYTES } : {}),
    prepare: async (url) => (await prepareReading(url, reading)).request,
  }),
)
