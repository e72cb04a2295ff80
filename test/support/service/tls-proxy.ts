import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.js'
import { until } from '../until.js'

/** A proxy that does TLS for a service, by a name that only its clients know. */
export interface TlsProxy {
  /** One call through it; the body is still to come. */
  call(method: string, path: string, headers: Readonly<Record<string, string>>, body?: object): Promise<IncomingMessage>
}

/** Starts nginx with a site as the README has it. It ends with the test. */
export async function startNginx(site: string, name: string, service: string): Promise<TlsProxy> {
  const directory = temporaryDirectory()
  const path = (file: string) => join(directory, file)
  makeCertificate(name, path('cert.pem'), path('key.pem'))
  const ours = site
    .replace(/listen \S+ ssl/, `listen unix:${path('socket')} ssl`)
    .replace(/(ssl_certificate\s+)\S+;/, `$1${path('cert.pem')};`)
    .replace(/(ssl_certificate_key\s+)\S+;/, `$1${path('key.pem')};`)
    .replace(/proxy_pass \S+;/, `proxy_pass ${service};`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${path(of)};`)
  writeFileSync(
    path('nginx.conf'),
    ['daemon off;', 'master_process off;', `pid ${path('pid')};`, 'events {}', 'http {', 'access_log off;']
      .concat(temporary, ours, '}')
      .join('\n'),
  )
  const child = spawn('nginx', ['-e', 'stderr', '-p', directory, '-c', path('nginx.conf')], { stdio: 'inherit' })
  onTestFinished(async () => {
    if (child.exitCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  await until('nginx listens', () => existsSync(path('socket')))
  const to = { socketPath: path('socket'), servername: name, ca: readFileSync(path('cert.pem')), agent: false } as const
  return {
    call: async (method, at, headers, body) => {
      const type = body === undefined ? {} : { 'content-type': 'application/json' }
      const sent = request({ ...to, method, path: at, headers: { host: name, ...type, ...headers } })
      // After its answer: the rest of a body that was refused.
      sent.on('error', () => undefined)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
      const [answer] = (await once(sent, 'response')) as [IncomingMessage]
      return answer
    },
  }
}

function makeCertificate(name: string, certificate: string, key: string): void {
  const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  const called = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  const { status, stderr } = spawnSync('openssl', ['req', ...made, ...called, '-keyout', key, '-out', certificate])
  if (status !== 0) throw new Error(`openssl: ${stderr.toString()}`)
}
