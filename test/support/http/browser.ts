import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axe from 'axe-core'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { listening, type Service, spawnService } from '../service/service-process.js'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run'].concat(
  ['background-networking', 'component-update', 'sync'].map((feature) => `--disable-${feature}`),
)

/** The system's Chromium; null when there is none. */
const CHROMIUM = findChromium()

/** A test that needs it. */
export const browserTest = test.skipIf(CHROMIUM === null)

function findChromium(): string | null {
  const { stdout } = spawnSync('sh', ['-c', NAMES.map((name) => `command -v ${name}`).join(' || ')], {
    encoding: 'utf8',
  })
  const path = stdout.trim()
  if (path !== '') return path
  console.warn(`skipped: the tests of the dashboard, since none of ${NAMES.join(', ')} is installed here`)
  return null
}

export interface OpenOptions {
  readonly dark?: boolean
  readonly width?: number
  readonly height?: number
  /** Errors in the console that the test causes. */
  readonly expected?: RegExp
}

/** A page of the dashboard. */
export interface OpenPage {
  readonly page: Page
  /** Goes to a place of the dashboard, such as `#/campaigns/sweep/grid`. */
  go(hash: string): Promise<void>
}

export interface Browsing {
  /**
   * Opens the dashboard of the service at the URL. At the end of the test no request may have left that origin, and the console may
   * hold no error: an exception, a refused call, or what the policy forbids.
   */
  open(url: string, hash: string, options?: OpenOptions): Promise<OpenPage>
}

/** One browser for the tests of a file, with a profile of its own that goes with it. */
export function useBrowser(): Browsing {
  const profile = mkdtempSync(join(tmpdir(), 'campaignd-browser-'))
  const running: { context?: BrowserContext } = {}
  beforeAll(async () => {
    if (CHROMIUM === null) return
    running.context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      args: ARGUMENTS,
      viewport: { width: 1280, height: 800 },
    })
  })
  afterAll(async () => {
    await running.context?.close()
    rmSync(profile, { recursive: true, force: true })
  })
  return {
    open: async (url, hash, options = {}) => {
      if (running.context === undefined) throw new Error('the browser does not run')
      const page = await running.context.newPage()
      const { width = 1280, height = 800, dark = false, expected = null } = options
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
      const errors: string[] = []
      const record = (text: string) => {
        if (expected?.test(text) !== true) errors.push(text)
      }
      const left: string[] = []
      page.on('request', (request) => {
        if (new URL(request.url()).origin !== url) left.push(request.url())
      })
      page.on('pageerror', (error) => record(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error') record(message.text())
      })
      onTestFinished(async () => {
        await page.close()
        expect(left, 'requests that left the origin').toEqual([])
        expect(errors, 'errors in the console').toEqual([])
      })
      const go = async (to: string) => {
        await page.goto(`${url}/${to}`)
      }
      await go(hash)
      return { page, go }
    },
  }
}

/**
 * One service for all tests of a file in the browser, which only read.
 * @param prepare is called before the start, with the data directory
 * @param fill creates what the tests read
 */
export function useService(prepare: (dataDir: string) => void, fill: (url: string) => Promise<void>): () => Service {
  const running: { service?: Service } = {}
  const dataDir = mkdtempSync(join(tmpdir(), 'campaignd-'))
  beforeAll(async () => {
    if (CHROMIUM === null) return
    prepare(dataDir)
    running.service = await listening(spawnService({ dataDir }), dataDir)
    await fill(running.service.url)
  })
  afterAll(async () => {
    await running.service?.end('SIGKILL')
    rmSync(dataDir, { recursive: true, force: true })
  })
  return () => {
    if (running.service === undefined) throw new Error('the service does not run')
    return running.service
  }
}

/** The violations of the accessibility rules of axe. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(async () => {
    const { axe: run } = globalThis as unknown as { axe: typeof axe }
    return run.run()
  })
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`))
}
