import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { type LockProcess, spawnLockProcess } from '../../../support/service/lock-process.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { isUsable } from '../../../support/tools.js'

/** Mounts the overlay of the directory that is $0 there, and waits. */
const MOUNT = `mount -t overlay overlay -o userxattr,lowerdir="$0/lower",upperdir="$0/upper",workdir="$0/work" "$0/merged"`
const PROBE = `dir=$(mktemp -d) && mkdir "$dir/lower" "$dir/upper" "$dir/work" "$dir/merged" && sh -c '${MOUNT}' "$dir"; code=$?; rm -rf "$dir"; exit $code`

const mounted = test.skipIf(!isUsable('an overlay mount', ['unshare', '-Urm', 'sh', '-c', PROBE]))

interface Overlay {
  readonly path: string
  /** What to put before a program that is to see the overlay. */
  readonly enter: readonly string[]
}

/** A data directory in an overlay whose lower layer holds what the caller puts there. */
async function mountOverlay(fill: (lower: string) => void): Promise<Overlay> {
  const root = temporaryDirectory()
  for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(join(root, name))
  fill(join(root, 'lower'))
  const mount = spawn('unshare', ['-Urm', 'sh', '-c', `${MOUNT} && echo mounted && exec cat`, root], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void mount.kill('SIGKILL'))
  await once(mount.stdout, 'data')
  const enter = ['nsenter', '-t', String(mount.pid), '-U', '-m', '--preserve-credentials']
  return { path: join(root, 'merged'), enter }
}

function start({ path, enter }: Overlay, mode: 'lock' | 'open'): LockProcess {
  const started = spawnLockProcess(path, mode, 'at-once', enter)
  onTestFinished(() => started.kill('SIGKILL'))
  return started
}

/** As an image of a container has it that was made while a service ran in it. */
function leaveServiceBehind(lower: string): void {
  for (const name of ['lock', 'campaigns', 'trash-1']) mkdirSync(join(lower, name))
  writeFileSync(join(lower, 'owner.json'), '{}')
  writeFileSync(join(lower, 'trash-1', 'gone.json'), '{}')
}

mounted(
  'of many contenders one takes over a lock in a lower layer of an overlay, which cannot be renamed',
  async () => {
    const overlay = await mountOverlay(leaveServiceBehind)
    const [, ...enter] = overlay.enter
    const rename = ['node', '-e', 'fs.renameSync(process.argv[1], process.argv[1] + 2)', join(overlay.path, 'lock')]
    expect(spawnSync('nsenter', [...enter, ...rename], { encoding: 'utf8' }).stderr).toContain('EXDEV')

    const contenders = Array.from({ length: 4 }, () => start(overlay, 'open'))
    const owner = await Promise.any(contenders.map((one) => one.receive('owns').then(() => one)))
    // Longer than a refresh, by which an owner learns that another one came after it.
    await sleep(3000)
    const events = contenders.flatMap(({ messages }) => messages.map(({ event }) => event))
    expect(events.filter((event) => event === 'owns')).toHaveLength(1)
    expect(events).not.toContain('lost')
    owner.send('release')
    await owner.ended
    // What is still in the lower layer is not seen any more.
    expect(existsSync(join(overlay.path, '..', 'lower', 'lock'))).toBe(true)
    expect(readdirSync(join(overlay.path, '..', 'upper'))).toEqual(expect.arrayContaining(['campaigns', 'lock']))
  },
)
