import * as nodeFs from 'node:fs'
import { copyFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type DurableDirectory, runJobs } from '#campaignd/repository/file/commit/durable-file.js'
import type { FileJob, FileOutcome, JobReport } from '#campaignd/repository/file/commit/file-job.js'
import { Leftovers } from '#campaignd/repository/file/commit/leftovers.js'
import { DataDirectory } from '#campaignd/repository/file/data-directory.js'
import { Fence } from '#campaignd/repository/file/fence.js'
import { FileCommitTarget } from '#campaignd/repository/file/file-commit-target.js'
import { lockDirectory } from '#campaignd/repository/file/lock/directory-lock.js'
import { ManifestFiles } from '#campaignd/repository/file/manifest-files.js'
import { CampaignCommits } from '#campaignd/repository/group-commit/campaign-commits.js'
import { newManifest, NOW } from '../../support/campaigns/decisions.js'
import { layManifest, manifestPath } from '../../support/store/files.js'
import { RUNNING } from '../../support/store/running.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

interface Scene {
  readonly dataDir: string
  readonly files: ManifestFiles
  /** What was flushed: ids of campaigns, or `directory`. */
  readonly flushes: readonly string[]
  /** The next flush of this fails, and no other. */
  failNext(what: string): void
  readonly corrupt: Map<string, string>
}

/** The manifests of a directory, with jobs that are carried out here and now, on a disk whose flushes can fail. */
async function scene(ids: readonly string[]): Promise<Scene> {
  const dataDir = temporaryDirectory()
  const lay = (id: string) => {
    layManifest(dataDir, id, JSON.stringify(newManifest(id, 1)))
  }
  ids.forEach(lay)
  const directory = new DataDirectory(dataDir)
  directory.create()
  const lock = await lockDirectory(dataDir, { onWait: () => undefined, onLost: () => undefined })
  onTestFinished(() => lock.release())
  const flushes: string[] = []
  const corrupt = new Map<string, string>()
  let failing: string | null = null
  const fsyncSync = (descriptor: number) => {
    const { ino } = nodeFs.fstatSync(descriptor)
    const what = directory.ids().find((id) => nodeFs.statSync(manifestPath(dataDir, id)).ino === ino) ?? 'directory'
    flushes.push(what)
    if (what !== failing) return
    // As a kernel does, which marks what it lost as clean: the next flush succeeds.
    failing = null
    throw Object.assign(new Error('EIO: as the test wants it'), { code: 'EIO' })
  }
  const descriptor = nodeFs.openSync(directory.campaigns, 'r')
  onTestFinished(() => {
    nodeFs.closeSync(descriptor)
  })
  const target: DurableDirectory = {
    ...{ fs: { ...nodeFs, fsyncSync }, descriptor, flush: true, trash: directory.trash },
    ...{ lockPath: lock.lockPath, lock: lock.identity, isStopped: () => false, leftovers: new Leftovers() },
  }
  const threads = {
    run: (job: FileJob): Promise<JobReport> => {
      const { outcomes, clearAway } = runJobs(target, [job])
      clearAway()
      return Promise.resolve({ outcome: outcomes[0] as FileOutcome, milliseconds: 0 })
    },
  }
  const ignore = () => undefined
  const events = { onChange: ignore, onRemoved: ignore, onQuarantined: ignore, onLost: ignore, onInDoubt: ignore }
  const files = new ManifestFiles({
    ...{ directory, threads, maxCampaignBytes: Infinity, onCommit: ignore, onFound: ignore, stopping: RUNNING },
    fence: new Fence(lock, ignore),
    onCorrupt: (id, reason) => corrupt.set(id, reason),
    open: (id, committed) => {
      const paths = { path: directory.manifest(id), tempPath: directory.temps(id) }
      return new CampaignCommits({
        committed,
        target: new FileCommitTarget({ ...paths, threads, lock, onCommit: ignore }),
        now: () => NOW,
        stopping: RUNNING,
        events,
      })
    },
  })
  return { dataDir, files, flushes, corrupt, failNext: (what) => (failing = what) }
}

/** Another inode with the same bytes. */
function replaceByCopy(dataDir: string, id: string): void {
  const path = manifestPath(dataDir, id)
  copyFileSync(path, join(dataDir, 'copy'))
  renameSync(join(dataDir, 'copy'), path)
}

test('a start serves the files that it could flush, and takes the one that it could not for corrupt', async () => {
  const { dataDir, files, flushes, corrupt, failNext } = await scene(['bad', 'good', 'other'])
  failNext('bad')
  await files.readAll()
  expect(files.campaigns.map(({ committed }) => committed.campaign.header.campaign_id)).toEqual(['good', 'other'])
  expect([...corrupt]).toEqual([['bad', expect.stringContaining('could not be flushed')]])
  await expect(files.find('bad')).rejects.toMatchObject({ code: 'campaign-corrupt' })
  // The second flush would succeed, and what it reported would not be so.
  expect(flushes.filter((what) => what === 'bad')).toHaveLength(1)
  replaceByCopy(dataDir, 'bad')
  expect((await files.find('bad')).committed.campaign.header.campaign_id).toBe('bad')
})

test('a file that was put there while the service runs and could not be flushed is not flushed again, but a copy of it is', async () => {
  const { dataDir, files, flushes, failNext } = await scene([])
  await files.readAll()
  layManifest(dataDir, 'late', JSON.stringify(newManifest('late', 1)))
  failNext('late')
  for (let tries = 0; tries < 2; tries += 1) {
    await expect(files.find('late')).rejects.toMatchObject({ code: 'campaign-corrupt' })
  }
  expect(flushes.filter((what) => what === 'late')).toHaveLength(1)
  replaceByCopy(dataDir, 'late')
  expect((await files.find('late')).committed.campaign.header.campaign_id).toBe('late')
})

test('a start that cannot flush the directory fails with the reason, and does not flush it again', async () => {
  const { files, flushes, failNext } = await scene(['a', 'b'])
  failNext('directory')
  await expect(files.readAll()).rejects.toThrow('EIO: as the test wants it')
  expect(flushes.filter((what) => what === 'directory')).toHaveLength(1)
  expect(files.campaigns).toEqual([])
})
