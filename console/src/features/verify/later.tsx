import { verify as text } from '../../strings/verify';
import { Visible } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { Moment } from '../../ui/time';
import { personOf, takesBack } from '../../verify/later';
import { written } from '../../verify/moment';
import type { LaterEvent } from '../../verify/newer';
import type { Story } from '../../verify/story';
import type { Verification } from '../../verify/verify';
import styles from './verify.module.css';

/** What happened after the bundle, by a newer log: the reason why somebody gives one. */
export function Later({ verification: { later, checks, story }, leaves }: { verification: Verification; leaves: number }) {
  const passed = checks.some(({ name, outcome }) => name === 'newer-log' && outcome.state === 'pass');
  if (later.length === 0) {
    return passed ? (
      <Notice tone="plain" title={text.later.nothing}>
        <p>{text.later.nothingText(leaves)}</p>
      </Notice>
    ) : null;
  }
  const takenBack = later.some(takesBack);
  return (
    <div data-later="">
      <Notice tone={takenBack ? 'warn' : 'plain'} title={text.later.title(later.length)}>
        {takenBack && <p>{text.later.takenBack}</p>}
        <ul className={styles.later}>
          {later.map((event) => (
            <LaterRow key={event.index} event={event} story={story} />
          ))}
        </ul>
      </Notice>
    </div>
  );
}

function LaterRow({ event, story }: { event: LaterEvent; story: Story }) {
  const person = personOf(event);
  const about = person === undefined ? (event.stream === 'policy' ? text.later.policy : text.later.request) : story.nameOf(person);
  return (
    <li data-takes-back={takesBack(event)}>
      <code>
        <Visible text={event.kind} />
      </code>
      {takesBack(event) && <span className={styles.mark}>{text.later.marked}</span>}
      <Visible text={about} />
      <Moment value={written(event.at)} />
      <span>{text.later.leaf(event.index)}</span>
    </li>
  );
}
