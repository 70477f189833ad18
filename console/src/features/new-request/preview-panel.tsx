import type { ReactNode } from 'react';
import { decision } from '../../strings/decision';
import { newRequest as texts } from '../../strings/new-request';
import { Button } from '../../ui/button';
import { duration } from '../../ui/format';
import { Visible } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { Person } from '../../ui/person';
import { Problem } from '../../ui/problem';
import type { Preview } from './preview';
import type { Alternative, Previewed } from './use-preview';
import styles from './new-request.module.css';

interface PanelProps {
  previewed: Previewed;
  /** What the form still needs before policy can be asked: a name, and where it is. */
  incomplete: readonly { label: string; id: string | undefined }[];
  asked: number;
  onUse: (alternative: Alternative) => void;
}

const text = texts.preview;

/** What would come of the request, while it is being written. */
export function PreviewPanel({ previewed, incomplete, asked, onUse }: PanelProps) {
  const { preview, current, fault, alternatives, retry } = previewed;
  const shown = preview !== undefined && incomplete.length === 0;
  return (
    <aside className={styles.preview} aria-labelledby="preview-title" data-stale={shown && !current} data-outcome={shown ? outcomeOf(preview) : undefined}>
      <h2 id="preview-title">{text.title}</h2>
      {incomplete.length > 0 && <Incomplete list={incomplete} />}
      {incomplete.length === 0 && fault ? <Problem fault={fault} retry={retry} /> : null}
      {incomplete.length === 0 && !fault && preview === undefined && <p className={styles.hint}>{text.asking}</p>}
      {shown && <Told preview={preview} asked={asked} />}
      {shown && current && alternatives.length > 0 && <Alternatives list={alternatives} onUse={onUse} />}
      {shown && <p className={styles.hint}>{current ? text.note : text.asking}</p>}
    </aside>
  );
}

/** Whether it would be granted, asked about, or not taken. */
export function outcomeOf({ verdict, missing }: Preview): 'allow' | 'deny' | 'ask' {
  if (verdict.verdict === 'deny' || missing.length > 0) return 'deny';
  return verdict.verdict === 'allow' ? 'allow' : 'ask';
}

function Incomplete({ list }: { list: PanelProps['incomplete'] }) {
  return (
    <>
      <p className={styles.hint}>{text.waiting}</p>
      <h3>{text.incomplete}</h3>
      <ul className={styles.bullets}>
        {list.map(({ label, id }) => (
          <li key={label}>{id === undefined ? <Visible text={label} /> : <GoTo id={id}>{label}</GoTo>}</li>
        ))}
      </ul>
    </>
  );
}

function GoTo({ id, children }: { id: string; children: string }) {
  const go = () => {
    const place = document.getElementById(id);
    (place?.querySelector<HTMLElement>('input, button') ?? place)?.focus();
  };
  return (
    <button type="button" className={styles.link} onClick={go}>
      <Visible text={children} />
    </button>
  );
}

function Told({ preview, asked }: { preview: Preview; asked: number }) {
  const { verdict, missing, approvals } = preview;
  const outcome = outcomeOf(preview);
  return (
    <>
      <p className={styles.outcome} role="status">
        {outcome === 'allow' && text.allow}
        {outcome === 'ask' && text.needs(approvals)}
        {outcome === 'deny' && text.deny}
      </p>
      {outcome === 'allow' && <p className={styles.hint}>{text.allowText}</p>}
      {missing.length > 0 && (
        <Notice tone="warn" title={text.missing}>
          <ul className={styles.missing}>
            {missing.map(({ code, reason, remedy }) => (
              <li key={code + reason}>
                <strong>
                  <Visible text={reason} />
                </strong>
                <span>
                  <Visible text={remedy} /> <code>{code}</code>
                </span>
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {outcome !== 'deny' && <Stages preview={preview} />}
      <Risk preview={preview} />
      {outcome !== 'deny' && <Clocks preview={preview} asked={asked} />}
      {verdict.obligations.length > 0 && (
        <p className={styles.hint}>
          {decision.stages.obligations}: {verdict.obligations.map((name) => name.replaceAll('_', ' ')).join(', ')}
        </p>
      )}
    </>
  );
}

const FEW = 5;

function Stages({ preview: { stages } }: { preview: Preview }) {
  return (
    <ul className={styles.stages}>
      {stages.map(({ id, quorum, eligible, after }) => (
        <li key={id}>
          <strong>
            <Visible text={text.stage(quorum, id)} />
          </strong>
          {after.length > 0 && <span className={styles.hint}> {text.after(after.join(', '))}</span>}
          <p className={styles.hint}>
            {text.could(eligible.length)}{' '}
            {eligible.slice(0, FEW).map((one, position) => (
              <span key={one.person}>
                {position > 0 && ', '}
                <Person person={one} />
              </span>
            ))}
            {eligible.length > FEW && ` ${text.andMore(eligible.length - FEW)}`}
          </p>
        </li>
      ))}
    </ul>
  );
}

function Risk({ preview: { verdict } }: { preview: Preview }) {
  const { score, tier, factors } = verdict.risk;
  return (
    <details className={styles.risk} data-tier={tier}>
      <summary>{text.risk(score, tier)}</summary>
      <ul className={styles.bullets} aria-label={text.factors}>
        {factors.map(({ factor, points, detail }) => (
          <li key={factor}>
            {points > 0 ? `+${points}` : `−${Math.abs(points)}`} <Visible text={detail} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function Clocks({ preview, asked }: { preview: Preview; asked: number }) {
  const { pending_seconds: pending, approval_validity_seconds: validity, grant_seconds: grant } = preview.verdict.constraints;
  const told: ReactNode[] = [text.grant(duration(grant))];
  if (preview.approvals > 0) told.unshift(text.pending(duration(pending)), text.validity(duration(validity)));
  return (
    <div>
      <h3>{text.clocks}</h3>
      {grant < asked && <p className={styles.shortened}>{text.shortened(duration(asked), duration(grant))}</p>}
      <ul className={styles.bullets}>
        {told.map((one, position) => (
          <li key={position}>{one}</li>
        ))}
      </ul>
    </div>
  );
}

function Alternatives({ list, onUse }: { list: Alternative[]; onUse: (alternative: Alternative) => void }) {
  return (
    <div className={styles.alternatives}>
      <h3>{text.instead}</h3>
      <ul>
        {list.map((one) => (
          <li key={one.variant.kind}>
            <span>
              <Visible text={variantText(one)} />: <strong>{outcomeText(one.preview)}</strong>
            </span>
            {one.against === 'easier' && (
              <Button kind="quiet" label={`${text.use}: ${variantText(one)}`} onPress={() => onUse(one)}>
                {text.use}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function variantText({ variant }: Alternative): string {
  return variant.kind === 'shorter' ? text.variant.shorter(duration(variant.seconds)) : text.variant[variant.kind](variant.name);
}

function outcomeText(preview: Preview): string {
  const outcome = outcomeOf(preview);
  return outcome === 'ask' ? text.approvals(preview.approvals) : text.outcome[outcome];
}
