import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { covers, ROLES } from '#campaignd/auth/role.js'
import { createToken, Tokens, TokensError } from '#campaignd/auth/tokens.js'

const HEX = 'a'.repeat(64)

function faultsOf(text: string): readonly string[] {
  try {
    Tokens.parse(text)
  } catch (error) {
    if (error instanceof TokensError) return error.faults
    throw error
  }
  return []
}

test('a token has 32 random bytes, and its line has nothing but the name, the role and the sha256 of it', () => {
  const { token, line } = createToken('w1', 'work')
  expect(token).toMatch(/^cmpd_[A-Za-z0-9_-]{43}$/)
  expect(line).toBe(`w1 work sha256:${createHash('sha256').update(token).digest('hex')}`)
  expect(createToken('w1', 'work').token).not.toBe(token)
})

test('a token is known by its line, and by no other', () => {
  const made = ROLES.map((role) => ({ role, ...createToken(`n-${role}`, role) }))
  const tokens = Tokens.parse(made.map(({ line }) => line).join('\n'))
  expect(tokens.count).toBe(3)
  for (const { role, token } of made) {
    expect(tokens.actorOf(token)).toMatchObject({ name: `n-${role}`, role })
    for (const wrong of [token.slice(0, -1), `${token}a`, token.toLowerCase(), token.slice(5), '']) {
      expect(tokens.actorOf(wrong)).toBeNull()
    }
  }
  const digest = /sha256:(.*)$/.exec(made[0]?.line ?? '')?.[1] ?? ''
  expect(tokens.actorOf(digest)).toBeNull()
  expect(tokens.actorOf(`sha256:${digest}`)).toBeNull()
})

test('a text that was not created as a token is none', () => {
  const tokens = Tokens.parse(createToken('w1', 'admin').line)
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => tokens.actorOf(text) === null))
})

test('blank lines, comments, tabs and line ends of Windows are ignored', () => {
  const text = `# tokens\r\n\r\n  w1\twork   sha256:${HEX}  \r\n   # w2 admin\n`
  expect(Tokens.parse(text).toString()).toBe(`w1 work sha256:${HEX}`)
})

test('two tokens may have one name, so that one can follow the other', () => {
  const [before, after] = [createToken('w1', 'work'), createToken('w1', 'work')]
  const tokens = Tokens.parse(`${before.line}\n${after.line}`)
  for (const { token } of [before, after]) expect(tokens.actorOf(token)?.name).toBe('w1')
})

test.each([
  ['one word', 'w1'],
  ['no digest', 'w1 work'],
  ['a token in place of its digest', 'w1 work cmpd_secret'],
  ['another hash', `w1 work sha512:${HEX}`],
  ['a short digest', `w1 work sha256:${HEX.slice(1)}`],
  ['a long digest', `w1 work sha256:${HEX}a`],
  ['upper case', `w1 work sha256:${HEX.toUpperCase()}`],
  ['an unknown role', `w1 root sha256:${HEX}`],
  ['a role in upper case', `w1 ADMIN sha256:${HEX}`],
  ['a bad name', `w/1 work sha256:${HEX}`],
  ['a name that is too long', `${'w'.repeat(65)} work sha256:${HEX}`],
  ['something behind it', `w1 work sha256:${HEX} secret`],
])('a line with %s is reported by its number, without its content', (_what, line) => {
  const faults = faultsOf(`# first\nok read sha256:${'b'.repeat(64)}\n${line}\n`)
  expect(faults).toHaveLength(1)
  expect(faults[0]).toMatch(/^line 3 /)
  for (const secret of ['cmpd_secret', HEX.slice(0, 20), HEX.slice(0, 20).toUpperCase(), 'secret', 'w1', 'root', 'w/1'])
    expect(faults[0]).not.toContain(secret)
})

test('every bad line of a tokens file is named', () => {
  expect(faultsOf('x\n\ny\n').map((fault) => fault.slice(0, 6))).toEqual(['line 1', 'line 3'])
})

test('a token is found again in a later list, with the role that it has there, and not when it was taken out', () => {
  const [kept, gone] = [createToken('w1', 'admin'), createToken('w1', 'admin')]
  const before = Tokens.parse(`${kept.line}\n${gone.line}`)
  const after = Tokens.parse(kept.line.replace(' admin ', ' read '))
  const actors = [kept, gone].map(({ token }) => before.actorOf(token))
  expect(actors.map((actor) => actor && after.current(actor))).toEqual([
    expect.objectContaining({ role: 'read' }),
    null,
  ])
})

test('thousands of tokens are read in the time that their lines take, and each is looked up as quickly as one of few', () => {
  const [few, many] = [100, 12_000].map(linesOf)
  // 120 times as many: with each line compared with those before, they would take 14,400 times as long.
  expect(
    timesAsLong(
      () => Tokens.parse(many ?? ''),
      () => Tokens.parse(few ?? ''),
    ),
  ).toBeLessThan(1_500)
  const [small, large] = [few, many].map((lines = '') => Tokens.parse(lines))
  const lookUp = (tokens: Tokens | undefined) => () => {
    for (let index = 0; index < 1_000; index += 1) tokens?.actorOf(`token ${index}`)
  }
  expect(timesAsLong(lookUp(large), lookUp(small))).toBeLessThan(15)
})

function linesOf(count: number): string {
  return Array.from({ length: count }, (_, index) => {
    return `w${index} work sha256:${createHash('sha256').update(String(index)).digest('hex')}`
  }).join('\n')
}

/** How many times as long one takes as another: by the quickest of runs that alternate, which other work disturbed least. */
function timesAsLong(one: () => void, other: () => void): number {
  const times = Array.from({ length: 9 }, () => [one, other].map(millisecondsOf))
  const [ofOne, ofOther] = [0, 1].map((index) => Math.min(...times.map((pair) => pair[index] ?? Infinity)))
  return (ofOne ?? Infinity) / (ofOther ?? Number.NaN)
}

function millisecondsOf(run: () => void): number {
  const began = performance.now()
  run()
  return performance.now() - began
}

test('one token under two names is refused: its owner would be ambiguous', () => {
  expect(faultsOf(`w1 work sha256:${HEX}\nw2 admin sha256:${HEX}`)).toEqual(['line 2 has the token of an earlier line'])
})

test.each(['', '\n\n', '# nobody\n'])('a list without a token, %j, is refused', (text) => {
  expect(faultsOf(text)).toEqual(['it has no token'])
})

test('each role may do what those before it may, and no more', () => {
  const table = ROLES.map((held) => ROLES.map((needed) => covers(held, needed)))
  expect(table).toEqual([
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ])
})
