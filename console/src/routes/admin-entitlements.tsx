export { EntitlementsPage } from '../features/admin/entitlements-page';
