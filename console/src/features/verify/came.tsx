import { verify as text } from '../../strings/verify';
import { came, type Place } from '../../verify/given';
import type { Verification } from '../../verify/verify';
import styles from './verify.module.css';

/** How what was given in this place came out, in words beside its colour. */
export function Came({ place, found }: { place: Place; found: Verification | undefined }) {
  if (found === undefined) return null;
  const outcome = came(place, found);
  const said = { pass: text.came.pass[place], bad: text.came.bad[place], ready: text.came.unsettled };
  return (
    <span className={styles.came} data-came={outcome}>
      {said[outcome]}
    </span>
  );
}
