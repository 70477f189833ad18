export { TrustPage } from '../features/admin/trust-page';
