use chancery_canonical::Sha256;
use chancery_domain::time::Timestamp;

use super::Replays;

#[test]
fn one_person_fills_their_own_room_and_nobody_elses() {
    let (now, over) = (Timestamp::from_unix(1_000).unwrap(), Timestamp::from_unix(1_120).unwrap());
    let [flooder, other] =
        ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAW"].map(|id| id.parse().unwrap());
    let mut replays = Replays::for_rate(100);
    let room = replays.room;
    let jti = |number: usize| Sha256::of(&number.to_be_bytes());
    for number in 0..room {
        assert!(replays.take(&flooder, jti(number), over, now));
    }
    assert!(!replays.take(&flooder, jti(room), over, now), "no room");
    assert!(replays.take(&other, jti(0), over, now), "another's room");
    assert!(!replays.take(&other, jti(0), over, now), "used before");
    assert!(replays.take(&flooder, jti(room), over.plus(120), over), "room again");
    assert_eq!(replays.used.len(), 1, "what is over takes no room");
}
