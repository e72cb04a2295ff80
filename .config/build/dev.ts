import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { bundlerArguments, compilerArguments } from './tools.ts'

/**
 * `npm run dev [-- --port 9000 ...]`: compiles and bundles at each change, and starts the service again after each that
 * has no error. It runs from a directory of its own, so that dist stays what `npm run build` made.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const OUTPUT = 'dist.dev'
const FLAGS = ['--enable-source-maps', '--inspect=127.0.0.1:0']

const ready = { compiler: false, bundler: false }
const service: { child?: ChildProcess; restart: Promise<void> } = { restart: Promise.resolve() }

const compiler = watch('tsc', [...compilerArguments(OUTPUT), '--watch', '--preserveWatchOutput'])
const bundler = watch('vite', [...bundlerArguments(OUTPUT), '--watch', '--logLevel', 'info'])
onLine(compiler, / Found 0 errors/, () => {
  ready.compiler = true
  restart()
})
onLine(bundler, /^built in /, () => {
  ready.bundler = true
  restart()
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end())

/** One restart at a time: the next service waits for the lock of the one before. */
function restart(): void {
  if (!ready.compiler || !ready.bundler) return
  service.restart = service.restart.then(async () => {
    await stop(service.child)
    service.child = spawn(process.execPath, [...FLAGS, `${OUTPUT}/main.js`, ...process.argv.slice(2)], {
      cwd: ROOT,
      stdio: 'inherit',
    })
  })
}

async function end(): Promise<void> {
  await service.restart
  await Promise.all([stop(service.child), stop(compiler), stop(bundler)])
  process.exit(0)
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

function watch(tool: string, args: readonly string[]): ChildProcess {
  return spawn(join(ROOT, 'node_modules/.bin', tool), args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
}

function onLine({ stdout }: ChildProcess, pattern: RegExp, action: () => void): void {
  if (stdout === null) return
  createInterface({ input: stdout }).on('line', (line) => {
    console.log(line)
    if (pattern.test(line)) action()
  })
}
