//! Passwords: checked by bcrypt, which is slow on purpose, away from the runtime, and remembered.
//!
//! Promises: who was let in once is let in at once the next time, until the file says otherwise; a name that does not
//! exist takes as long as a wrong password; guessing takes no more than [`CHECKS_MAX`] threads.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use ring::hmac;
use tokio::sync::Semaphore;

use crate::credentials::{Tenants, User};
use crate::denied::Denied;

/// Passwords that are checked at the same time.
const CHECKS_MAX: usize = 2;
/// Requests that may wait for a check; more are told to come again.
const WAITING_MAX: usize = 64;
/// Good passwords that are remembered; when there are more, all are forgotten.
const REMEMBERED_MAX: usize = 4_096;
/// What a name that does not exist is checked against: a hash of something, with the usual cost.
pub(crate) const NOBODY: &str = "$2b$10$abcdefghijklmnopqrstuuNl7r9YwB1gs1Lz1mOqwD1bYrk1iQNlG";

/// Checks passwords.
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// Of what is remembered only a keyed hash: the key is of this process alone. Without one nothing is remembered.
    key: Option<hmac::Key>,
    remembered: Mutex<HashSet<[u8; 32]>>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}

/// Name and password of HTTP's basic scheme.
pub(crate) fn of_basic(text: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(text).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (name, password) = text.split_once(':')?;
    // A hash ends at a zero, which no password has.
    let is_text = !password.contains('\0');
    is_text.then(|| (name.to_owned(), password.to_owned()))
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let random = ring::rand::SystemRandom::new();
        Self {
            turns: Arc::new(Semaphore::new(CHECKS_MAX)),
            waiting: AtomicUsize::new(0),
            key: hmac::Key::generate(hmac::HMAC_SHA256, &random).ok(),
            remembered: Mutex::default(),
        }
    }

    /// Checks somebody's password; gives the tenants that it is for.
    pub(crate) async fn check(
        &self,
        user: Option<User>,
        password: String,
        challenges: Vec<HeaderValue>,
    ) -> Result<Tenants, Denied> {
        let mark = user
            .as_ref()
            .and_then(|user| self.mark(&user.hash, &password));
        if let (Some(user), Some(mark)) = (&user, &mark)
            && self.remembered().contains(mark)
        {
            return Ok(user.tenants.clone());
        }
        let _waiting = Waiting::begin(&self.waiting).ok_or(Denied::Busy)?;
        // Never closed.
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let hash = user
            .as_ref()
            .map_or_else(|| NOBODY.to_owned(), |user| user.hash.clone());
        let checking = tokio::task::spawn_blocking(move || {
            let is_right = bcrypt::verify(password, &hash).unwrap_or(false);
            drop(turn);
            is_right
        });
        let is_right = checking.await.unwrap_or(false);
        let Some(user) = user.filter(|_| is_right) else {
            return Err(Denied::WrongCredentials { challenges });
        };
        if let Some(mark) = mark {
            let mut remembered = self.remembered();
            if remembered.len() >= REMEMBERED_MAX {
                remembered.clear();
            }
            remembered.insert(mark);
        }
        Ok(user.tenants)
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashSet<[u8; 32]>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes with the hash in the file: a password that was changed there is forgotten here.
    fn mark(&self, hash: &str, password: &str) -> Option<[u8; 32]> {
        let mut context = hmac::Context::with_key(self.key.as_ref()?);
        context.update(hash.as_bytes());
        context.update(&[0]);
        context.update(password.as_bytes());
        let mut mark = [0; 32];
        mark.copy_from_slice(context.sign().as_ref());
        Some(mark)
    }
}

/// A request that waits for a check.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Option<Self> {
        let before = count.fetch_add(1, Ordering::AcqRel);
        let waiting = Self(count);
        (before < WAITING_MAX).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
