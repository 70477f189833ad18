//! Random values: nonces, tokens, salts and identifiers. The only place that draws them.

use chancery_canonical::Sha256;
use chancery_canonical::base64::encode_url;
use chancery_domain::id::{LeaseId, PersonId, RequestId};
use chancery_domain::time::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use ulid::Ulid;

use crate::problem::Problem;

/// The operating system's randomness.
#[derive(Debug)]
pub struct Random {
    system: SystemRandom,
    /// In a simulation, what is drawn next follows from a seed and how much was drawn.
    #[cfg(debug_assertions)]
    seeded: Option<(u64, std::sync::atomic::AtomicU64)>,
}

impl Default for Random {
    fn default() -> Self {
        Self {
            system: SystemRandom::new(),
            #[cfg(debug_assertions)]
            seeded: None,
        }
    }
}

#[cfg(debug_assertions)]
impl Random {
    /// Values that follow from a seed. Keys and signatures are drawn from the operating system all the same.
    pub fn seeded(seed: u64) -> Self {
        Self { seeded: Some((seed, std::sync::atomic::AtomicU64::new(0))), ..Self::default() }
    }

    /// Fills from the seed; `false` when there is none.
    fn fill_seeded(&self, bytes: &mut [u8]) -> bool {
        let Some((seed, drawn)) = &self.seeded else { return false };
        for chunk in bytes.chunks_mut(32) {
            let drawn = drawn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let digest = Sha256::of_parts(&[&seed.to_be_bytes(), &drawn.to_be_bytes()]);
            chunk.iter_mut().zip(digest.as_bytes()).for_each(|(byte, drawn)| *byte = *drawn);
        }
        true
    }
}

impl Random {
    /// For functions that take the source itself.
    pub fn source(&self) -> &dyn SecureRandom {
        &self.system
    }

    /// So many random bytes.
    ///
    /// # Errors
    /// A fault when the operating system gives none.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], Problem> {
        let mut bytes = [0; N];
        #[cfg(debug_assertions)]
        if self.fill_seeded(&mut bytes) {
            return Ok(bytes);
        }
        self.system.fill(&mut bytes).map_err(|_| Problem::fault("the system gave no randomness"))?;
        Ok(bytes)
    }

    /// 256 random bits as base64url: a nonce, or a token.
    ///
    /// # Errors
    /// A fault when the operating system gives no randomness.
    pub fn token(&self) -> Result<String, Problem> {
        Ok(encode_url(&self.bytes::<32>()?))
    }

    /// So many salts of 128 bits, handed out by the closure that is returned. Once they are used up it gives
    /// zeros, so ask for enough.
    ///
    /// # Errors
    /// A fault when the operating system gives no randomness.
    pub fn salts(&self, count: usize) -> Result<impl FnMut() -> [u8; 16] + use<>, Problem> {
        let salts: Result<Vec<[u8; 16]>, Problem> = (0..count).map(|_| self.bytes()).collect();
        let mut salts = salts?.into_iter();
        Ok(move || salts.next().unwrap_or_default())
    }

    /// Two decimal digits, each of the hundred pairs equally likely.
    ///
    /// # Errors
    /// A fault when the operating system gives no randomness.
    pub fn two_digits(&self) -> Result<String, Problem> {
        loop {
            let [byte] = self.bytes::<1>()?;
            // What is left of 256 would make the first pairs likelier.
            if byte < 200 {
                return Ok(format!("{:02}", byte % 100));
            }
        }
    }

    fn ulid(&self, now: Timestamp) -> Result<String, Problem> {
        let milliseconds = u64::try_from(now.unix()).unwrap_or(0).saturating_mul(1000);
        Ok(Ulid::from_parts(milliseconds, u128::from_be_bytes(self.bytes()?)).to_string())
    }

    /// A new request's id.
    ///
    /// # Errors
    /// A fault when the operating system gives no randomness.
    pub fn request_id(&self, now: Timestamp) -> Result<RequestId, Problem> {
        self.ulid(now)?.parse().map_err(Problem::bug)
    }

    /// A new person's id. It says nothing of the person, not even when they came.
    ///
    /// # Errors
    /// A fault when the operating system gives no randomness.
    pub fn person_id(&self) -> Result<PersonId, Problem> {
        Ulid::from_bytes(self.bytes()?).to_string().parse().map_err(Problem::bug)
    }

    /// A new lease's id.
    ///
    /// # Errors
    /// A fault when the operating system gives no randomness.
    pub fn lease_id(&self, now: Timestamp) -> Result<LeaseId, Problem> {
        self.ulid(now)?.parse().map_err(Problem::bug)
    }

    /// A name for something that waits, such as an enrolment or a login.
    ///
    /// # Errors
    /// A fault when the operating system gives no randomness.
    pub fn name(&self, now: Timestamp) -> Result<String, Problem> {
        self.ulid(now)
    }
}

/// Under which key a secret token is stored: never the token itself.
pub fn token_key(token: &str) -> String {
    Sha256::of_parts(&[b"chancery token v1\n", token.as_bytes()]).to_hex()
}
