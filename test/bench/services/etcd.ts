import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasEnded } from '../../support/service/child-process.js'
import { freePort } from '../../support/service/free-port.js'
import { ID, KEY, type Requests } from '../load/load.js'
import { type Server, serverOf } from './child.js'

export const hasEtcd = spawnSync('etcd', ['--version'], { stdio: 'ignore' }).error === undefined

/** Of its log, shown when it does not start. */
const LAST_LINES = 5

/** A cluster of one member with its default settings: each put is on disk before its reply. */
export async function startEtcd(directory: string): Promise<Server> {
  const url = `http://127.0.0.1:${await freePort()}`
  const peers = `http://127.0.0.1:${await freePort()}`
  const logPath = join(directory, 'etcd.log')
  const log = openSync(logPath, 'w')
  const settings = {
    'data-dir': join(directory, 'etcd'),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `default=${peers}`,
  }
  const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`)
  const child = spawn('etcd', args, { stdio: ['ignore', log, log] })
  closeSync(log)
  while (!(await isHealthy(url))) {
    if (hasEnded(child)) {
      const lines = readFileSync(logPath, 'utf8').trimEnd().split('\n')
      throw new Error(`etcd ended with ${child.exitCode ?? child.signalCode}: ${lines.slice(-LAST_LINES).join(' ')}`)
    }
    await sleep(50)
  }
  return serverOf(child, url)
}

/** Durable puts through the JSON gateway, each of a value as large as the one given, over one key for each name. */
export function putsOf(names: readonly string[], value: string): Requests {
  // Digits are base64 too: sixteen of them stand for twelve bytes.
  const rest = Buffer.from(value).subarray(12).toString('base64')
  return {
    method: 'POST',
    paths: ['/v3/kv/put'],
    keys: names.map((name) => Buffer.from(name).toString('base64')),
    body: JSON.stringify({ key: KEY, value: `${ID}${rest}` }),
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const health = (await (await fetch(`${url}/health`)).json()) as { health: string }
    return health.health === 'true'
  } catch {
    // It does not listen yet.
    return false
  }
}
