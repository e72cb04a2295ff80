import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { send } from '../../support/http/client.js'
import { againstBaseline } from '../against-baseline.js'
import { heartbeats, manifest, notModified, page, progress, type Workload } from '../load/workload.js'
import { atLeast, type Row } from '../row.js'
import { startBaseline } from '../services/child.js'

export const readsAgainstBare: readonly Row[] = [
  row(progress, 0.8, '/text'),
  row(notModified, 0.9, '/text'),
  row(manifest, 0.9, '/buffer'),
  row(page, 0.5, '/text'),
]

export const heartbeatsAgainstBare: Row = againstBaseline({
  ...{ workload: heartbeats, against: 'a bare Fastify route', goal: atLeast(0.8) },
  start: async (_directory, requests) => ({ server: await startBaseline('bare-service.ts'), requests }),
})

/** @param path where bare Fastify has it ready */
function row(workload: Workload, goal: number, path: '/text' | '/buffer'): Row {
  const what = path === '/text' ? 'that JSON' : 'a Buffer of that size'
  return againstBaseline({
    ...{ workload, against: `bare Fastify sending ${what}`, goal: atLeast(goal) },
    start: async (directory, requests, url) => {
      const { text, headers } = await send('GET', `${url}${requests.paths[0] ?? ''}`)
      const file = join(directory, 'reply.json')
      writeFileSync(file, text)
      const server = await startBaseline('bare-service.ts', file, headers.get('etag') ?? '')
      return { server, requests: { ...requests, paths: [path] } }
    },
  })
}
