import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

/** The sizes that keep the source easy to move into. What grows beyond one of them is split by noun, not squeezed. */
const MOST = {
  linesOfFile: 250,
  linesOfFunction: 60,
  medianOfFunctions: 8,
  filesOfFolder: 16,
}

interface SourceFile {
  readonly path: string
  readonly lines: number
  readonly functions: readonly SourceFunction[]
}

interface SourceFunction {
  readonly name: string
  readonly lines: number
}

const ROOT = join(import.meta.dirname, '..')
const source = readFiles('src', /\.(tsx?|css)$/)
const tests = readFiles('test', /\.(ts|mjs)$/)

// A file of tests, and the conformance suite, is a list of promises: as long as what it promises.
test(`no file but those of tests is longer than ${MOST.linesOfFile} lines`, () => {
  const long = [...source, ...tests].filter(
    ({ path, lines }) => lines > MOST.linesOfFile && !/\.test\.ts$|\/conformance\.ts$/.test(path),
  )
  expect(long.map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([])
})

test(`no function is longer than ${MOST.linesOfFunction} lines`, () => {
  const long = [...source, ...tests].flatMap(({ path, functions }) =>
    functions
      .filter(({ lines }) => lines > MOST.linesOfFunction)
      .map(({ name, lines }) => `${path}: ${name}, ${lines} lines`),
  )
  expect(long).toEqual([])
})

test(`half of the functions of the source have at most ${MOST.medianOfFunctions} lines`, () => {
  const lines = source.flatMap(({ functions }) => functions.map((one) => one.lines)).sort((a, b) => a - b)
  expect(lines.length).toBeGreaterThan(1000)
  expect(lines[Math.floor(lines.length / 2)]).toBeLessThanOrEqual(MOST.medianOfFunctions)
})

test(`no folder has more than ${MOST.filesOfFolder} source files beside each other`, () => {
  const folders = new Map<string, number>()
  for (const { path } of [...source, ...tests]) folders.set(dirname(path), (folders.get(dirname(path)) ?? 0) + 1)
  const full = [...folders].filter(([, files]) => files > MOST.filesOfFolder)
  expect(full.map(([folder, files]) => `${folder}: ${files} files`)).toEqual([])
})

function readFiles(folder: string, name: RegExp): SourceFile[] {
  const paths = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  const found = paths.filter((path) => name.test(path)).map((path) => readFile(join(folder, path)))
  if (found.length < 100) throw new Error(`only ${found.length} files in ${folder}: this test looks in the wrong place`)
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function readFile(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const lines = text.split('\n').length - 1
  return { path, lines, functions: path.endsWith('.css') ? [] : functionsOf(path, text) }
}

/** The functions that have a body of statements: an expression behind an arrow counts with what it stands in. */
function functionsOf(path: string, text: string): SourceFunction[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found: SourceFunction[] = []
  const visit = (node: ts.Node): void => {
    if (isFunction(node) && node.body?.kind === ts.SyntaxKind.Block && !isSuite(node)) {
      const [from, to] = [node.getStart(file), node.getEnd()].map((at) => file.getLineAndCharacterOfPosition(at).line)
      found.push({ name: nameOf(node, file), lines: (to ?? 0) - (from ?? 0) + 1 })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

type SomeFunction = ts.FunctionLikeDeclaration

function isFunction(node: ts.Node): node is SomeFunction {
  return ts.isFunctionLike(node) && 'body' in node
}

/** A function that only declares tests is exempt, such as the callback of a `describe`: each test is counted by itself. */
function isSuite(node: SomeFunction): boolean {
  if (ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText())) return true
  const statements = node.body !== undefined && ts.isBlock(node.body) ? node.body.statements : []
  return statements.length > 0 && statements.every(isTestDeclaration)
}

function isTestDeclaration(node: ts.Statement): boolean {
  const call = ts.isExpressionStatement(node) ? node.expression : node
  return ts.isCallExpression(call) && /^(describe|test)\b/.test(call.expression.getText())
}

function nameOf(node: SomeFunction, file: ts.SourceFile): string {
  const named = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined)
  if (named !== undefined) return named.getText(file)
  return `the one in line ${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1}`
}
