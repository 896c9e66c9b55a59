import { Component, type ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ChainView } from './chain-view.tsx';
import { ChainsList } from './chains-list.tsx';
import { EntryView } from './entry-view.tsx';
import { KeyPage } from './key-page.tsx';
import { ReachView } from './reach-view.tsx';
import { asProblem } from './remote.ts';
import { parseRoute, type Route } from './route.ts';
import { ProblemBox } from './states.tsx';

/** The whole page: what the address asks for, under one head. */
export function Page() {
  const hash = useHash();
  const route = parseRoute(hash);
  const place = route.kind === 'chain' ? route.id : hash;
  useArrival(place);
  return (
    <>
      <button type="button" class="skip" onClick={skipToContent}>
        Skip to the content
      </button>
      <header class="page-head">
        <a class="brand" href="#/">
          Behalf
        </a>
        <span class="brand-says">who did what, on whose behalf, under which authority, through which services</span>
        <a href="#/key">Key</a>
      </header>
      <main id="content" tabIndex={-1}>
        <Fence key={place}>
          <Routed route={route} />
        </Fence>
      </main>
    </>
  );
}

function Routed({ route }: { route: Route }) {
  switch (route.kind) {
    case 'chains':
      return <ChainsList filters={route.filters} />;
    case 'chain':
      return <ChainView id={route.id} hop={route.hop} />;
    case 'entry':
      return <EntryView index={route.index} />;
    case 'key':
      return <KeyPage />;
    case 'reach':
      return <ReachView question={route.question} />;
    case 'nowhere':
      return (
        <div class="state">
          <p>There is no such page.</p>
          <a href="#/">Show all chains</a>
        </div>
      );
  }
}

const skipToContent = (): void => document.getElementById('content')?.focus();

/** A new place begins at its top, for the eye and for the keyboard; the first one already does. */
function useArrival(place: string): void {
  const before = useRef(place);
  useEffect(() => {
    if (before.current === place) return;
    before.current = place;
    scrollTo(0, 0);
    document.getElementById('content')?.focus();
  }, [place]);
}

function useHash(): string {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return hash;
}

/** A fault in drawing one page is shown in its place; the rest stays usable. */
class Fence extends Component<{ children: ComponentChildren }, { fault: unknown }> {
  override state = { fault: undefined };

  static override getDerivedStateFromError(fault: unknown) {
    return { fault };
  }

  override render() {
    return this.state.fault === undefined ? this.props.children : <ProblemBox problem={asProblem(this.state.fault)} />;
  }
}
