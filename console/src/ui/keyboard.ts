/** Keys. Each screen registers its own while it is shown; no key approves anything. */
import { useEffect, useRef } from 'react';
import { preferences } from '../preferences';

/** What a key does. */
export interface Key {
  /** As `KeyboardEvent.key` says it, such as `j` or `/`; `mod+k` with Ctrl or ⌘. */
  key: string;
  label: string;
  run: () => void;
}

const layers: { keys: readonly Key[] }[] = [];

/** The keys that do something now, the newest first. */
export function activeKeys(): Key[] {
  const seen = new Set<string>();
  return layers
    .flatMap((layer) => [...layer.keys])
    .reverse()
    .filter(({ key }) => !seen.has(key) && seen.add(key));
}

/** Registers keys while the component is shown; those of a later component come first. */
export function useKeys(keys: readonly Key[]): void {
  const layer = useRef({ keys });
  layer.current.keys = keys;
  useEffect(() => {
    const own = layer.current;
    layers.push(own);
    return () => {
      layers.splice(layers.indexOf(own), 1);
    };
  }, []);
}

/** Listens to the document; gives a function that stops it. */
export function listenToKeys(): () => void {
  document.addEventListener('keydown', press);
  return () => document.removeEventListener('keydown', press);
}

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const combined = event.metaKey || event.ctrlKey;
  if (!combined && (!preferences().singleKeys || takesText(event.target) || dialogIsOpen())) return;
  const name = combined ? `mod+${event.key.toLowerCase()}` : event.key;
  const found = activeKeys().find(({ key }) => key === name);
  if (!found) return;
  event.preventDefault();
  found.run();
}

function takesText(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.closest('input, textarea, select') !== null);
}

function dialogIsOpen(): boolean {
  return document.querySelector('[role="dialog"], [role="alertdialog"], dialog[open]') !== null;
}
