import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { startCampaign } from '../support/service/service.js'
import { isUsable } from '../support/tools.js'

/** Those of a process, which has more than a service within a test. */
async function metrics(): Promise<string> {
  const service = await startCampaign(1)
  return (await fetch(`${service.url}/metrics`)).text()
}

test('a metric ends in _total when it is a counter, and only then', async () => {
  const declared = [...(await metrics()).matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  const types = declared.map(([, name = '', type = '']) => ({ name, type }))
  expect(types.length).toBeGreaterThan(30)
  expect(types.filter(({ name, type }) => name.endsWith('_total') !== (type === 'counter'))).toEqual([])
})

test.skipIf(!isUsable('promtool', ['promtool', '--version']))('the metrics are as promtool wants them', async () => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: await metrics(),
    encoding: 'utf8',
  })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
})
