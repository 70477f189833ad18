import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState, type ReactNode, type Ref } from 'react';
import styles from './window-list.module.css';

/** Moves within the list. */
export interface WindowListHandle {
  /** Brings a row into view and the focus to its link. */
  focus: (position: number) => void;
}

interface WindowListProps<Item> {
  items: readonly Item[];
  keyOf: (item: Item) => string;
  label: string;
  /** Pixels; the same for all. */
  rowHeight: number;
  children: (item: Item) => ReactNode;
  ref?: Ref<WindowListHandle>;
}

const MARGIN_ROWS = 8;

/** A list of any length, of which only what can be seen is drawn. */
export function WindowList<Item>({ items, keyOf, label, rowHeight, children, ref }: WindowListProps<Item>) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ first: 0, count: 20 });
  const wanted = useRef<number | undefined>(undefined);
  const measure = () => {
    const { scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    const first = Math.floor(scrollTop / rowHeight);
    const count = Math.ceil(clientHeight / rowHeight) + 1;
    setSeen((before) => (before.first === first && before.count === count ? before : { first, count }));
  };
  useLayoutEffect(measure, [rowHeight, items.length]);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, [rowHeight]);
  const focusWanted = () => {
    const link = box.current?.querySelector<HTMLElement>(`[data-position="${wanted.current}"] a`);
    if (!link) return;
    wanted.current = undefined;
    link.focus({ preventScroll: true });
  };
  useEffect(focusWanted);
  useImperativeHandle(ref, () => ({
    focus: (position) => {
      wanted.current = position;
      scrollTo(box.current, position * rowHeight, rowHeight);
      measure();
      focusWanted();
    },
  }));
  const first = Math.max(0, seen.first - MARGIN_ROWS);
  const drawn = items.slice(first, seen.first + seen.count + MARGIN_ROWS);
  return (
    <div ref={box} className={styles.scroller} onScroll={measure} data-list>
      <ol aria-label={label} style={{ blockSize: items.length * rowHeight, paddingBlockStart: first * rowHeight }}>
        {drawn.map((item, offset) => (
          <li key={keyOf(item)} data-position={first + offset} aria-setsize={items.length} aria-posinset={first + offset + 1} style={{ blockSize: rowHeight }}>
            {children(item)}
          </li>
        ))}
      </ol>
    </div>
  );
}

/** As little as brings the row into view. */
function scrollTo(box: HTMLElement | null, top: number, height: number): void {
  if (!box) return;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + height > box.scrollTop + box.clientHeight) box.scrollTop = top + height - box.clientHeight;
}
