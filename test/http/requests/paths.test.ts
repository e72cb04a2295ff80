import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DataDirectory } from '#campaignd/repository/file/data-directory.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { openApp } from '../../support/service/app.js'
import { bytesOf } from '../../support/store/files.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

const HERE = '/v1/campaigns/sweep'

test('a path in a body is a text: nothing is read, written or made where it leads', async () => {
  const { call, dataDir } = await openApp()
  const target = join(temporaryDirectory(), 'made')
  const paths = [target, '../../etc/passwd', '/etc/passwd', 'a\\..\\b', 'file:///etc/passwd', `${dataDir}/owner`]
  const experiments = paths.map((path, index) => experimentDraft(`e${index}`, { config_path: path, container: path }))
  expect((await call('POST', '/v1/campaigns', { body: { ...campaignDraft(1), experiments } })).status).toBe(201)
  for (const [index, result_path] of paths.entries()) {
    const body = { status: 'completed', result_path, worker: '../w' }
    const reply = await call('PATCH', `${HERE}/experiments/e${index}`, { body })
    expect(reply.json()).toMatchObject({ result_path, config_path: result_path })
    expect(reply.text).not.toContain('root:')
  }
  expect(existsSync(target)).toBe(false)
  expect(readdirSync(join(dataDir, 'campaigns'))).toEqual(['sweep.json'])
})

test.each(['../forged', '..', '.', '', 'a/b', 'a\0', 'A', 'sweep.json', 'x'.repeat(64), '-a', 'a\n'])(
  'the id %j names no file, even where nobody checked it before',
  (id) => {
    const directory = new DataDirectory(temporaryDirectory())
    directory.create()
    const before = bytesOf(directory.root)
    for (const name of ['manifest', 'temps', 'aside'] as const)
      expect(() => directory[name](id), name).toThrow('is no campaign_id')
    expect(bytesOf(directory.root)).toEqual(before)
  },
)
