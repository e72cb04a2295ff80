import { readdirSync } from 'node:fs'
import { expect, onTestFinished } from 'vitest'
import { DEFAULT_LIMITS } from '#campaignd/http/limits.js'
import type { CampaignStore } from '#campaignd/repository/campaign-store.js'
import type { CommitReport } from '#campaignd/repository/commit-report.js'
import { openFileStore, type OpenFileStoreOptions } from '#campaignd/repository/file/open-file-store.js'
import { NOW } from '../campaigns/decisions.js'
import { temporaryDirectory } from '../temporary-directory.js'
import { leftovers } from './files.js'
import { RUNNING } from './running.js'

export interface TestStore {
  readonly dataDir: string
  readonly store: CampaignStore
  /** Closes the store and opens the same directory again. */
  reopen(): Promise<CampaignStore>
  close(): Promise<void>
  /** The notices for the operator. */
  readonly notices: string[]
  readonly corrupt: Map<string, string>
  readonly reports: CommitReport[]
  readonly fatal: Error[]
  /** How many experiments of which campaign were cut. */
  readonly shrunk: [string, number][]
}

export type TestStoreOptions = Partial<Pick<OpenFileStoreOptions, 'dataDir' | 'now' | 'monotonic' | 'maxCampaignBytes'>>

/** Opens a data directory in this process; it is closed with the test. */
export async function openTestStore({
  dataDir = temporaryDirectory(),
  now = () => NOW,
  monotonic = () => 0,
  maxCampaignBytes = DEFAULT_LIMITS.maxCampaignBytes,
}: TestStoreOptions = {}): Promise<TestStore> {
  const notices: string[] = []
  const corrupt = new Map<string, string>()
  const reports: CommitReport[] = []
  const fatal: Error[] = []
  const shrunk: [string, number][] = []
  const options: OpenFileStoreOptions = {
    ...{ dataDir, now, monotonic, maxCampaignBytes, stopping: RUNNING },
    durability: 'fsync',
    onWait: (holder) => notices.push(`waits for ${holder}`),
    onNotice: (sentence) => notices.push(sentence),
    onCorrupt: (id, reason) => corrupt.set(id, reason),
    onShrunk: (campaign, experiments) => shrunk.push([campaign.header.campaign_id, experiments]),
    onCommit: (report) => reports.push(report),
    onFatal: (reason) => fatal.push(reason),
  }
  let store = await openFileStore(options)
  onTestFinished(() => store.close())
  return {
    ...{ dataDir, store, notices, corrupt, reports, fatal, shrunk },
    reopen: async () => {
      await store.close()
      expect(readdirSync(dataDir)).toEqual(['campaigns'])
      expect(leftovers(dataDir)).toEqual([])
      store = await openFileStore(options)
      return store
    },
    close: () => store.close(),
  }
}
