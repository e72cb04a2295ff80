import { readFile } from 'node:fs/promises'
import { fastify } from 'fastify'
import { lock } from 'proper-lockfile'
import writeFileAtomic from 'write-file-atomic'

/**
 * The baseline: what one writes first. Each request locks the manifest, reads, parses and changes it, writes it back
 * whole and unlocks. Arguments: the path of the manifest. Prints its address.
 */

const [path = ''] = process.argv.slice(2)
const app = fastify()

app.patch<{ Params: { expId: string }; Body: { result_path: string } }>('/experiments/:expId', async (request) => {
  // Tries again at once, and again: the kindest settings to throughput that there are.
  const release = await lock(path, { retries: { forever: true, minTimeout: 1, maxTimeout: 10, factor: 1 } })
  try {
    const manifest = JSON.parse(await readFile(path, 'utf8')) as {
      experiments: { exp_id: string; result_path: string }[]
    }
    const experiment = manifest.experiments.find(({ exp_id }) => exp_id === request.params.expId)
    if (experiment === undefined) throw new Error(`no experiment ${request.params.expId}`)
    experiment.result_path = request.body.result_path
    await writeFileAtomic(path, JSON.stringify(manifest, null, 2))
    return experiment
  } finally {
    await release()
  }
})

process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
