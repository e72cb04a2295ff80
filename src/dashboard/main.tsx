import { render } from 'preact'
import { App } from './app.tsx'
import './styles/base.css'
import './styles/page.css'
import './styles/parts.css'
import './styles/toolbar.css'
import './styles/tables.css'
import './styles/canvas.css'
import './styles/campaign-list.css'
import './styles/campaign.css'
import './styles/failures.css'
import './styles/drawer.css'

const place = document.getElementById('app')
if (place !== null) render(<App />, place)
