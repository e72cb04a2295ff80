import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { recordIn, sourceHash } from './source-hash.ts'
import { removeLeftovers, swapIn } from './swap.ts'
import { bundlerArguments, compilerArguments } from './tools.ts'

/** `npm run build`: builds the service and the dashboard beside dist, and swaps the result in once all of it is there. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NEXT = `dist.next-${process.pid}`

removeLeftovers(ROOT)
// Before the compiler reads: what changes meanwhile makes this build an old one.
const hash = sourceHash(ROOT)
try {
  if (run('tsc', compilerArguments(NEXT)) && run('vite', bundlerArguments(NEXT))) {
    writeFileSync(recordIn(join(ROOT, NEXT)), `${hash}\n`)
    swapIn(ROOT, join(ROOT, NEXT))
  } else {
    process.exitCode = 1
  }
} finally {
  rmSync(join(ROOT, NEXT), { recursive: true, force: true })
}

/** True when it succeeded. Its problems are on stdout and stderr. */
function run(tool: string, args: readonly string[]): boolean {
  const { status, error } = spawnSync(join(ROOT, 'node_modules/.bin', tool), args, { cwd: ROOT, stdio: 'inherit' })
  if (error !== undefined) throw error
  return status === 0
}
