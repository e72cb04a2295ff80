import { useEffect } from 'preact/hooks'
import { NoticeLine } from './parts/notice.tsx'
import { route } from './route.ts'
import { CampaignListPage } from './views/campaign-list-page.tsx'
import { CampaignPage } from './views/campaign-page.tsx'
import { TokenPrompt } from './views/token-prompt.tsx'

export function App() {
  const at = route.value
  const campaignId = at.page === 'campaign' ? at.campaignId : null
  useEffect(() => {
    scrollTo(0, 0)
  }, [campaignId])
  return (
    <>
      {at.page === 'campaigns' ? (
        <CampaignListPage query={at.query} />
      ) : (
        <CampaignPage key={at.campaignId} campaignId={at.campaignId} />
      )}
      <NoticeLine />
      <TokenPrompt />
    </>
  )
}
