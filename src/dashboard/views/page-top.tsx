import type { ComponentChildren } from 'preact'
import { TokenButton } from './token-prompt.tsx'

/** The bar at the top of each page. */
export function PageTop({ children }: { readonly children?: ComponentChildren }) {
  return (
    <header class="page-top">
      <nav aria-label="Breadcrumb">
        <a class="home" href="#/">
          campaignd
        </a>
        {children}
      </nav>
      <div class="page-links">
        <TokenButton />
        <a href="docs/">API</a>
      </div>
    </header>
  )
}
