import { Link, Outlet, useChildMatches, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useDeferredValue, useRef, type RefObject } from 'react';
import { INBOX_VIEWS, type InboxView } from '../client/queries';
import styles from '../features/inbox/inbox.module.css';
import { Row } from '../features/inbox/row';
import { matching, type RowItem } from '../features/inbox/rows';
import { useRows } from '../features/inbox/use-rows';
import { useTitle } from '../shell/page';
import { inbox as text } from '../strings/inbox';
import { shell } from '../strings/shell';
import { Button } from '../ui/button';
import { useKeys } from '../ui/keyboard';
import { usePhone } from '../ui/phone';
import { Problem } from '../ui/problem';
import { Empty, Loading } from '../ui/states';
import { WindowList, type WindowListHandle } from '../ui/window-list';

const ROW_HEIGHT = 84;

/** The inbox beside what is chosen in it; on a phone one of both. */
export function InboxLayout() {
  const phone = usePhone();
  const chosen = useParams({ strict: false }).id;
  const inList = useChildMatches({ select: (matches) => matches.length > 0 });
  return (
    <div className={styles.inbox} data-chosen={chosen !== undefined}>
      {(!phone || chosen === undefined) && <List chosen={chosen} />}
      {inList && (!phone || chosen !== undefined) && (
        <div className={styles.detail}>
          <Outlet />
        </div>
      )}
    </div>
  );
}

/** Beside the list while nothing is chosen. */
export function NothingChosen() {
  const { view = 'needs_me' } = useSearch({ from: '/inbox-layout' });
  useTitle(view === 'needs_me' ? text.title : text.views[view]);
  return (
    <div className={styles.nothing}>
      <Empty title={text.choose}>
        <p>{text.chooseHint}</p>
      </Empty>
    </div>
  );
}

function List({ chosen }: { chosen: string | undefined }) {
  const { view = 'needs_me', q = '' } = useSearch({ from: '/inbox-layout' });
  const list = useRows(view);
  const wanted = useDeferredValue(q);
  const found = matching(list.rows, wanted);
  const handle = useRef<WindowListHandle>(null);
  const search = useRef<HTMLInputElement>(null);
  const move = (by: number) => {
    const at = positionOf(found, chosen) + by;
    if (at >= 0 && at < found.length) handle.current?.focus(at);
  };
  useKeys([
    { key: 'j', label: shell.keys.next, run: () => move(1) },
    { key: 'k', label: shell.keys.previous, run: () => move(-1) },
    { key: '/', label: shell.keys.search, run: () => search.current?.focus() },
  ]);
  return (
    <section className={styles.list} aria-label={text.list}>
      <ListHead view={view} alone={chosen === undefined} search={search} shown={found.length} list={list} />
      {list.fault && <Problem fault={list.fault} retry={list.retry} />}
      {list.pending && <Loading />}
      {!list.pending && !list.fault && found.length === 0 && <NothingFound view={view} filtered={wanted !== ''} />}
      {found.length > 0 && (
        <WindowList ref={handle} items={found} keyOf={({ item }) => item.id} label={text.list} rowHeight={ROW_HEIGHT}>
          {(row) => <Row row={row} />}
        </WindowList>
      )}
    </section>
  );
}

interface ListHeadProps {
  view: InboxView;
  /** Whether nothing beside it has the heading of the page. */
  alone: boolean;
  search: RefObject<HTMLInputElement | null>;
  shown: number;
  list: ReturnType<typeof useRows>;
}

function ListHead({ view, alone, search, shown, list }: ListHeadProps) {
  const { q = '' } = useSearch({ from: '/inbox-layout' });
  const navigate = useNavigate();
  const filter = (typed: string) => void navigate({ to: '.', search: (before) => ({ ...before, q: typed || undefined }), replace: true });
  const all = list.rows.length;
  const Title = alone ? 'h1' : 'h2';
  return (
    <header className={styles.head}>
      <div className={styles.titles}>
        <Title>{text.title}</Title>
        <span className={styles.count}>{list.loadingMore ? text.loadingMore(all) : text.count(shown, all)}</span>
      </div>
      <nav aria-label={text.tabs} className={styles.views}>
        {INBOX_VIEWS.map((one) => (
          <Link key={one} to="." search={{ view: one === 'needs_me' ? undefined : one }} className={styles.view} aria-current={one === view ? 'true' : undefined} activeProps={{}} activeOptions={{ includeSearch: true }}>
            {text.views[one]}
          </Link>
        ))}
      </nav>
      <input
        ref={search}
        type="search"
        className={styles.filter}
        aria-label={text.filter}
        placeholder={text.filterShort}
        value={q}
        onChange={(event) => filter(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      <div role="status" className={styles.fresh}>
        {list.fresh > 0 && (
          <Button kind="primary" label={text.freshHint(list.fresh)} onPress={list.showFresh} className={styles.pill}>
            {text.fresh(list.fresh)}
          </Button>
        )}
      </div>
    </header>
  );
}

function NothingFound({ view, filtered }: { view: InboxView; filtered: boolean }) {
  const [title, hint] = filtered ? text.filterEmpty : text.empty[view];
  return (
    <Empty title={title}>
      <p>{hint}</p>
    </Empty>
  );
}

/** Where the focus is in the list, else what is chosen; before the first when neither is. */
function positionOf(rows: readonly RowItem[], chosen: string | undefined): number {
  const focused = document.activeElement?.closest('[data-position]');
  if (focused instanceof HTMLElement) return Number(focused.dataset.position);
  return rows.findIndex(({ item }) => item.id === chosen);
}
