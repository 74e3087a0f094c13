use std::fs;

use super::*;

const ALL: &str = "[producer.demo]\norganizations = \"all\"\ntypes = \"all\"\n";

#[tokio::test]
async fn a_change_of_the_file_applies_and_an_invalid_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("producers.toml");
    assert!(matches!(ScopesFile::open(path.clone()).await, Err(ScopesError::Unreadable(_))));
    fs::write(&path, "").unwrap();
    let (mut file, scopes) = ScopesFile::open(path.clone()).await.unwrap();
    assert_eq!(scopes.borrow().producer.len(), 0);

    fs::write(&path, ALL).unwrap();
    file.read().await.unwrap();
    assert_eq!(scopes.borrow().producer.len(), 1);

    fs::write(&path, "[producer.demo]").unwrap();
    assert!(matches!(file.read().await, Err(ScopesError::Invalid(_))));
    fs::write(&path, vec![b'#'; 1_048_577]).unwrap();
    assert!(matches!(file.read().await, Err(ScopesError::Unreadable(_))));
    fs::remove_file(&path).unwrap();
    assert!(file.read().await.is_err());
    assert_eq!(scopes.borrow().producer.len(), 1, "what was read last applies");
}

#[tokio::test(start_paused = true)]
async fn the_file_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("producers.toml");
    fs::write(&path, "").unwrap();
    let (file, mut scopes) = ScopesFile::open(path.clone()).await.unwrap();
    let stop = CancellationToken::new();
    let following = tokio::spawn(file.follow(stop.clone()));
    fs::write(&path, ALL).unwrap();
    scopes.wait_for(|scopes| scopes.producer.len() == 1).await.unwrap();
    stop.cancel();
    following.await.unwrap();
}
