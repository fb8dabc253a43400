//! The blueprints of snapshots, in S3: a snapshot does not hold the configuration of its database,
//! so each that is taken gets an object of its own.

use async_trait::async_trait;
use trapheus_rds::Arn;
use trapheus_restore::{BlueprintError, Blueprints, SavedBlueprint};

use crate::s3::Objects;

/// Blueprints in a place of S3, where there is one.
pub(crate) struct BlueprintObjects(pub(crate) Option<Objects>);

impl BlueprintObjects {
    fn place(&self) -> Result<&Objects, BlueprintError> {
        let nowhere = || BlueprintError("`TRAPHEUS_BLUEPRINTS` names no place for them".to_owned());
        self.0.as_ref().ok_or_else(nowhere)
    }
}

#[async_trait]
impl Blueprints for BlueprintObjects {
    async fn keep(&self, snapshot: &Arn, blueprint: &SavedBlueprint) -> Result<(), BlueprintError> {
        let (place, name) = (self.place()?, name(snapshot));
        let failed =
            |why: String| BlueprintError(format!("can't write {}: {why}", place.shown(&name)));
        let text =
            serde_json::to_vec_pretty(blueprint).map_err(|error| failed(error.to_string()))?;
        place.put(&name, &text).await.map_err(failed)
    }

    async fn of(&self, snapshot: &Arn) -> Result<Option<SavedBlueprint>, BlueprintError> {
        let (place, name) = (self.place()?, name(snapshot));
        let failed =
            |why: String| BlueprintError(format!("can't read {}: {why}", place.shown(&name)));
        match place.get(&name).await.map_err(failed)? {
            None => Ok(None),
            Some(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
                BlueprintError(format!("{} is no blueprint: {error}", place.shown(&name)))
            }),
        }
    }

    async fn forget(&self, snapshot: &Arn) -> Result<(), BlueprintError> {
        let (place, name) = (self.place()?, name(snapshot));
        let failed =
            |why: String| BlueprintError(format!("can't delete {}: {why}", place.shown(&name)));
        place.delete(&name).await.map_err(failed)
    }
}

/// An object for each ARN; what RDS allows in one and addresses treat apart becomes `_`, which RDS
/// does not allow.
fn name(snapshot: &Arn) -> String {
    snapshot.as_str().replace([':', '/'], "_") + ".json"
}
