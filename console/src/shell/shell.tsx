import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useConnection } from '../live/live';
import { useSession } from '../session/session';
import { shell } from '../strings/shell';
import { common } from '../strings/common';
import { duration, moment } from '../ui/format';
import { listenToKeys, useKeys } from '../ui/keyboard';
import { Visible } from '../ui/literal';
import { Notice } from '../ui/notice';
import { usePhone } from '../ui/phone';
import { Icon } from './icon';
import { entriesFor, type Entry } from './navigation';
import styles from './shell.module.css';

const Palette = lazy(() => import('./palette').then(({ Palette: component }) => ({ default: component })));
const Preferences = lazy(() => import('./preferences').then(({ PreferencesDialog }) => ({ default: PreferencesDialog })));

type Open = 'palette' | 'preferences' | undefined;

/** The frame around every screen: a sidebar on the desktop, tabs at the bottom of a phone. */
export function Shell() {
  const [open, setOpen] = useState<Open>();
  const [started, setStarted] = useState<Set<Open>>(new Set());
  const show = (what: Open) => {
    setStarted((before) => new Set(before).add(what));
    setOpen(what);
  };
  useEffect(listenToKeys, []);
  useKeys([
    { key: 'mod+k', label: shell.keys.palette, run: () => show('palette') },
    { key: '?', label: shell.keys.help, run: () => show('preferences') },
  ]);
  const close = (opened: boolean) => {
    if (!opened) setOpen(undefined);
  };
  return (
    <div className={styles.frame}>
      <a href="#main" className={styles.skip}>
        {shell.skip}
      </a>
      <Sidebar onSearch={() => show('palette')} onPreferences={() => show('preferences')} />
      <Content />
      <Tabs onMore={() => show('preferences')} />
      <Suspense>
        {started.has('palette') && <Palette open={open === 'palette'} onOpenChange={close} />}
        {started.has('preferences') && <Preferences open={open === 'preferences'} onOpenChange={close} />}
      </Suspense>
    </div>
  );
}

/** The screen itself; the focus moves to it when another screen opens, so that a screen reader says where it is. */
function Content() {
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const first = useRef(path);
  useEffect(() => {
    if (first.current === path) return;
    first.current = '';
    main.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <main id="main" ref={main} tabIndex={-1} className={styles.main}>
      <Standing />
      <Outlet />
    </main>
  );
}

const CLOCK_DIFFERENCE_SECONDS = 60;

/** What holds for the whole session and must be known on every screen. */
function Standing() {
  const { me, server } = useSession();
  const [received] = useState(() => Date.now());
  const skew = Math.round(Math.abs(moment(server.time) - received) / 1000);
  return (
    <>
      {me.held === true && <Notice tone="warn">{shell.held}</Notice>}
      {!server.sealed && <Notice tone="warn">{shell.notSealed}</Notice>}
      {skew > CLOCK_DIFFERENCE_SECONDS && <Notice tone="warn">{shell.clock(duration(skew))}</Notice>}
    </>
  );
}

function Sidebar({ onSearch, onPreferences }: { onSearch: () => void; onPreferences: () => void }) {
  const { me } = useSession();
  return (
    <header className={styles.sidebar}>
      <p className={styles.brand}>
        <img src="/icon.svg" alt="" width="24" height="24" />
        {common.product}
      </p>
      <button type="button" className={styles.search} onClick={onSearch} title={shell.palette.open}>
        <Icon name="search" size={16} />
        <span>{shell.palette.short}</span>
        <kbd>{/Mac|iPhone|iPad/.test(navigator.platform) ? shell.palette.macShortcut : shell.palette.shortcut}</kbd>
      </button>
      <nav aria-label={shell.navigation}>
        <ul>
          {entriesFor(me).map((entry) => (
            <li key={entry.to}>
              <EntryLink entry={entry} className={styles.entry} />
            </li>
          ))}
        </ul>
      </nav>
      <div className={styles.foot}>
        <Connected />
        <button type="button" className={styles.who} onClick={onPreferences} aria-label={`${shell.preferences}. ${shell.signedInAs(me.name ?? me.person)}`}>
          <Icon name="settings" />
          <span>
            <Visible text={me.name ?? me.person} />
          </span>
        </button>
      </div>
    </header>
  );
}

function EntryLink({ entry, className }: { entry: Entry; className: string | undefined }) {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  return (
    <Link to={entry.to} className={className} aria-current={entry.covers.test(path) ? 'page' : undefined} activeProps={{}} activeOptions={{ exact: true, includeSearch: false }}>
      <Icon name={entry.icon} />
      {entry.label}
    </Link>
  );
}

function Tabs({ onMore }: { onMore: () => void }) {
  const { me } = useSession();
  const phone = usePhone();
  const connection = useConnection();
  return (
    <>
      {phone && connection === 'interrupted' && <Connected />}
      <nav aria-label={shell.navigation} className={styles.tabs}>
        {entriesFor(me)
          .filter(({ tab }) => tab)
          .map((entry) => (
            <EntryLink key={entry.to} entry={{ ...entry, label: entry.short ?? entry.label }} className={styles.tab} />
          ))}
        <button type="button" className={styles.tab} onClick={onMore}>
          <Icon name="settings" />
          {common.more}
        </button>
      </nav>
    </>
  );
}

function Connected() {
  const connection = useConnection();
  return (
    <p className={styles.connection} data-connection={connection} role="status" title={shell.connectionHint[connection]}>
      {shell.connection[connection]}
    </p>
  );
}
