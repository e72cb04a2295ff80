/** The colours of the page, for what is drawn. */
export interface Theme {
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly surface: string
  readonly band: string
  readonly outline: string
  readonly focus: string
  readonly bad: string
  readonly font: string
}

export function readTheme(element: Element): Theme {
  const style = getComputedStyle(element)
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    text: read('text'),
    muted: read('muted'),
    line: read('line'),
    surface: read('surface'),
    band: read('band'),
    outline: read('outline'),
    focus: read('focus'),
    bad: read('bad'),
    font: style.fontFamily,
  }
}
