/** A mark is a comment directly above a statement, alone in its line: `// mutation: name`. A statement may have several. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const SOURCE = fileURLToPath(new URL('../../../src', import.meta.url))
const MARK = /^[ \t]*\/\/ mutation: (\S+)$/gm

/** The statement goes, or the one expression that it depends on is made into another one. */
export type Change = 'removed' | ((expression: string) => string)

/** The file of each mark, below src. @throws Error when one stands twice */
export function findMarks(): ReadonlyMap<string, string> {
  const marks = new Map<string, string>()
  for (const file of readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue
    for (const mark of marksOf(readSource(file))) {
      const other = marks.get(mark)
      if (other !== undefined) throw new Error(`the mark ${mark} stands in ${other} and in ${file}`)
      marks.set(mark, file)
    }
  }
  return marks
}

export function readSource(file: string): string {
  return readFileSync(join(SOURCE, file), 'utf8')
}

/** @throws Error when the text does not have the mark once above a statement, or its statement cannot be changed so */
export function mutated(text: string, mark: string, change: Change): string {
  const count = marksOf(text).filter((one) => one === mark).length
  if (count !== 1) throw new Error(`the mark ${mark} stands ${count} times`)
  const source = ts.createSourceFile('marked.ts', text, ts.ScriptTarget.Latest, true)
  const statement = statementBelow(source, text, mark)
  if (statement === null) throw new Error(`the mark ${mark} stands above no statement`)
  if (change === 'removed') return replaced(text, statement, ';')
  const expression = expressionOf(statement)
  if (expression === null) throw new Error(`the statement below the mark ${mark} has no one expression to change`)
  return replaced(text, expression, change(expression.getText()))
}

/** As the build compiles one file. @throws Error when it cannot be parsed */
export function compiled(text: string, file: string): string {
  const read = ts.readConfigFile(join(SOURCE, '../tsconfig.json'), (path) => ts.sys.readFile(path))
  const { compilerOptions } = read.config as { compilerOptions: object }
  // One file alone has no package.json that would say which of the two kinds of modules NodeNext means.
  const alone = { module: 'ESNext', moduleResolution: 'Bundler', rootDir: undefined, sourceMap: true }
  const { options } = ts.convertCompilerOptionsFromJson({ ...compilerOptions, ...alone }, SOURCE)
  const { outputText, diagnostics = [] } = ts.transpileModule(text, {
    fileName: file,
    compilerOptions: options,
    reportDiagnostics: true,
  })
  const [wrong] = diagnostics
  if (wrong !== undefined) throw new Error(`${file}: ${ts.flattenDiagnosticMessageText(wrong.messageText, ' ')}`)
  return outputText
}

function marksOf(text: string): string[] {
  return [...text.matchAll(MARK)].map(([, mark = '']) => mark)
}

function statementBelow(parent: ts.Node, text: string, mark: string): ts.Statement | null {
  const isMarked = (node: ts.Node): node is ts.Statement =>
    ts.isStatement(node) && marksOf(text.slice(node.getFullStart(), node.getStart())).includes(mark)
  return (
    ts.forEachChild(parent, (node) => (isMarked(node) ? node : (statementBelow(node, text, mark) ?? undefined))) ?? null
  )
}

/** What is initialised, asked or answered; null when that are none or several. */
function expressionOf(statement: ts.Statement): ts.Expression | null {
  if (ts.isIfStatement(statement) || ts.isReturnStatement(statement)) return statement.expression ?? null
  if (!ts.isVariableStatement(statement)) return null
  const [declaration, ...others] = statement.declarationList.declarations
  return others.length === 0 ? (declaration?.initializer ?? null) : null
}

function replaced(text: string, node: ts.Node, by: string): string {
  return text.slice(0, node.getStart()) + by + text.slice(node.end)
}
