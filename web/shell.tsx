/** What stands around every page: navigation, what is wrong with the server, and what the keyboard does. */
import { type ComponentType, Fragment } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { focusPage } from './core/focus.ts';
import { bindings, useKey } from './core/keys.ts';
import { askAnew, loss } from './core/live.ts';
import type { Given } from './core/path.ts';
import { IN_PLACE } from './core/refusal.ts';
import { datacenter, go, href, spot } from './core/router.ts';
import { useTitle } from './core/title.ts';
import { ENTRANCES, type Entrance, type Place, placeOf } from './places.ts';
import { Asked } from './ui/asked.tsx';
import { Dialog } from './ui/dialog.tsx';
import { Guarded } from './ui/guarded.tsx';
import { Toasts } from './ui/toasts.tsx';
import { chooseLanguage } from './words/preferred.ts';
import { shellWords } from './words/shell-words.ts';
import { isLanguage, LANGUAGES, language, locale } from './words/words.ts';

export function Shell() {
  const say = shellWords.value;
  const [showsKeys, setShowsKeys] = useState(false);
  useKey(
    '?',
    () => shellWords.value.showKeys,
    () => setShowsKeys(true),
  );
  return (
    <>
      <a class="skip" href="#content">
        {say.skip}
      </a>
      <header class="shell">
        <a class="wordmark" href={href('services')}>
          <img src={ICON} alt="" width="20" height="20" />
          Proconsul
        </a>
        <span class="datacenter">{datacenter}</span>
        <button class="menu-button quiet" type="button" popovertarget="navigation">
          {say.menu}
        </button>
        <Navigation onKeys={() => setShowsKeys(true)} />
      </header>
      <main id="content" tabIndex={-1}>
        <Lost />
        <Outlet />
      </main>
      <Toasts />
      <Asked />
      {showsKeys && <Keys onClose={() => setShowsKeys(false)} />}
    </>
  );
}

const ICON = new URL('./style/icon.svg', import.meta.url).href;

function Navigation({ onKeys }: { readonly onKeys: () => void }) {
  const say = shellWords.value;
  const own = useRef<HTMLElement>(null);
  const [first = ''] = spot.value.parts;
  // Where it is a popover, on a small screen, a way taken closes it.
  const close = () => own.current?.matches(':popover-open') && own.current.hidePopover();
  return (
    <nav id="navigation" ref={own} popover="auto" aria-label={say.navigation}>
      <ul>
        {ENTRANCES.map((each) => (
          <Entry key={each.name} to={each} isHere={first === each.address} onGo={close} />
        ))}
      </ul>
      <div class="foot">
        <label>
          <span class="unseen">{say.language}</span>
          <select
            value={language.value}
            onChange={({ currentTarget: { value } }) => isLanguage(value) && chooseLanguage(value)}
          >
            {Object.entries(LANGUAGES).map(([tag, name]) => (
              <option key={tag} value={tag} lang={tag}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button class="quiet" type="button" onClick={onKeys}>
          {say.keysHint}
        </button>
      </div>
    </nav>
  );
}

interface EntryProps {
  readonly to: Entrance;
  readonly isHere: boolean;
  readonly onGo: () => void;
}

function Entry({ to: { name, address, key }, isHere, onGo }: EntryProps) {
  const keys = `g ${key}`;
  const say = () => shellWords.value.places[name];
  useKey(
    keys,
    () => shellWords.value.goTo(say()),
    () => go(href(address)),
  );
  return (
    <li>
      <a
        href={href(address)}
        aria-current={isHere ? 'page' : undefined}
        title={keys}
        onClick={onGo}
      >
        {say()}
      </a>
    </li>
  );
}

function Lost() {
  const lost = loss.value;
  const say = shellWords.value;
  return (
    <div role="status">
      {lost !== undefined && (
        <p class="lost">
          <strong>{lossInWords(lost.said)}</strong>{' '}
          {say.lostSince(new Date(lost.since).toLocaleTimeString(locale.value))}{' '}
          <button type="button" onClick={askAnew}>
            {say.tryNow}
          </button>
        </p>
      )}
    </div>
  );
}

function lossInWords(said: string): string {
  const say = shellWords.value;
  if (said === IN_PLACE) return say.inPlace;
  return said === '' ? say.lost : say.lostSaying(said);
}

const loaded = new Map<Place, ComponentType<Given>>();
const NO_PLACE = { place: undefined, given: {} };

/** The page of the address; what is not loaded yet leaves the one before where it is. */
function Outlet() {
  const { parts } = spot.value;
  const { place, given } = placeOf(parts) ?? NO_PLACE;
  const [, setShown] = useState<Place>();
  const [hasFailed, setFailed] = useState(false);
  useEffect(() => {
    if (parts.length === 0) go(href('services'), { replaces: true });
  }, [parts.length]);
  useEffect(() => {
    let isLeft = false;
    setFailed(false);
    place?.load().then(
      ({ Page }) => {
        loaded.set(place, Page);
        setShown(place);
      },
      () => !isLeft && setFailed(true),
    );
    return () => {
      isLeft = true;
    };
  }, [place]);
  useFocus(parts.join('/'));
  if (hasFailed) return <Failed />;
  const Page = place && loaded.get(place);
  if (Page !== undefined) {
    const key = [datacenter.value, ...parts].join('/');
    return (
      <Guarded key={key}>
        <Page key={key} {...given} />
      </Guarded>
    );
  }
  return place === undefined && parts.length > 0 ? <NoSuchPage /> : null;
}

/** Whoever does not see the page change is taken to its beginning; not when it is opened. */
function useFocus(address: string): void {
  const last = useRef(address);
  useEffect(() => {
    const isOpening = last.current === '' || last.current === address;
    last.current = address;
    if (!isOpening) focusPage();
  }, [address]);
}

function NoSuchPage() {
  const say = shellWords.value;
  useTitle(say.noSuchPage);
  return (
    <>
      <h1>{say.noSuchPage}</h1>
      <p>{say.noSuchPageHint}</p>
      <a class="button" href={href('services')}>
        {say.toServices}
      </a>
    </>
  );
}

function Failed() {
  const say = shellWords.value;
  useTitle(say.failed);
  return (
    <>
      <h1>{say.failed}</h1>
      <p>{say.failedHint}</p>
      <button type="button" onClick={() => location.reload()}>
        {say.loadAnew}
      </button>
    </>
  );
}

function Keys({ onClose }: { readonly onClose: () => void }) {
  const say = shellWords.value;
  return (
    <Dialog title={say.keys} onClose={onClose}>
      <dl class="keys">
        {bindings.value.map(({ keys, does }) => (
          <Fragment key={keys}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does()}</dd>
          </Fragment>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">{say.close}</button>
      </form>
    </Dialog>
  );
}
