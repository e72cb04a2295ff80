import { expect, test } from 'vitest'
import { faultOfText } from '#campaignd/domain/text-format.js'

const grinning = '\u{1f600}'

test.each([
  ['digits', '0042'],
  ['a path of another tool, with dots', 'a..b'],
  ['a hidden file', '.hidden'],
  ['blanks within', 'llama 3 / 8'.replace(' / ', ' ')],
  ['umlauts', 'größe'],
  ['accents that are characters of their own', 'e\u0301tude'],
  ['Chinese', '試験'],
  ['Arabic', 'تجربة'],
  ['an emoji', grinning],
  ['punctuation', '#%?&=+;,:@!$\'"()*[]{}|^`~<>'],
  ['256 characters beyond the first plane', grinning.repeat(256)],
])('an exp_id may be %s', (_what, id) => {
  expect(faultOfText('exp-id', id)).toBe(null)
})

test.each([
  ['a slash', 'a/b', '/ (U+002F)'],
  ['a backslash', 'a\\b', '\\ (U+005C)'],
  ['a null', 'a\0', 'U+0000'],
  ['a line break at its end', 'a\n', 'U+000A'],
  ['a tab', 'a\tb', 'U+0009'],
  ['a control character of Latin-1', 'a\u0085b', 'U+0085'],
  ['a soft hyphen', 'a\u00adb', 'U+00AD'],
  ['a zero width space', 'a\u200bb', 'U+200B'],
  ['a mark of direction', 'a\u202eb', 'U+202E'],
  ['a byte order mark', '\ufeffa', 'U+FEFF'],
  ['a tag beyond the first plane', 'a\u{e0041}', 'U+E0041'],
  ['half of a surrogate pair', 'a\ud800', 'U+D800'],
  ['a line separator', 'a\u2028b', 'U+2028'],
  ['a paragraph separator', 'a\u2029b', 'U+2029'],
  ['a blank at its begin', ' a', 'U+0020'],
  ['a blank at its end', 'a ', 'U+0020'],
  ['an ideographic blank at its end', 'a\u3000', 'U+3000'],
  ['nothing but a blank', '\u00a0', 'U+00A0'],
  ['one dot', '.', 'must not be .'],
  ['two dots', '..', 'must not be ..'],
])('an exp_id with %s is refused, and the refusal names it', (_what, id, named) => {
  expect(faultOfText('exp-id', id)).toContain(named)
})

test('only half of a surrogate pair is no character', () => {
  expect(faultOfText('well-formed', `a\0\u200b${grinning}`)).toBe(null)
  expect(faultOfText('well-formed', 'a\udfff')).toContain('half of a surrogate pair')
  expect(faultOfText('well-formed', 7)).toBe(null)
  expect(faultOfText('another', '\udfff')).toBe(null)
})
