"""A folder with one hospital's files, ingested as the study does."""

from pathlib import Path

import pandas as pd

from dlre_core.foundation.csv_tables import read_table
from dlre_core.ingestion.hospital import HospitalFolder, IngestedFiles, ingest_hospital
from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.patients.pseudonyms import Pseudonymiser
from dlre_core.user_tables.data_contract import CLINICAL_COLUMNS

PSEUDONYMISER = Pseudonymiser(bytes(range(32)), 365)
PATIENTS = ("A0001", "A0002", "A0003")


class Hospital:
    """Folder of one hospital, and what ingestion makes of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pictures = root / "dicom" / "A"
        self.pictures.mkdir(parents=True)
        self.out = root / "out"
        rows = [{"patient_id": name, "hospital": "A", "fibrosis_stage": 2} for name in PATIENTS]
        columns = [column.name for column in CLINICAL_COLUMNS]
        pd.DataFrame(rows, columns=columns).to_csv(root / "clinical.csv", index=False)
        self.tables: dict[str, Path] = {}

    def ingest(self, out: str = "out", memory: Path | None = None, **settings: object) -> "Hospital":
        self.out = self.root / out
        ingest_hospital(
            HospitalFolder(
                "A",
                self.pictures,
                clinical_csv=self.root / "clinical.csv",
                measurements_csv=self.tables.get("measurements"),
                roi_csv=self.tables.get("roi"),
            ),
            IngestedFiles(
                shard=self.out / "A.h5",
                acquisitions_csv=self.out / "A_acquisitions.csv",
                rejects_csv=self.out / "A_rejects.csv",
                counts_csv=self.out / "A_counts.csv",
                private_map_csv=self.root / "private" / "A.csv",
            ),
            PSEUDONYMISER,
            IngestionSettings(**settings),
            memory=memory,
        )
        return self

    def table(self, name: str) -> pd.DataFrame:
        return read_table(self.out / f"A_{name}.csv")

    def rejected(self) -> dict[str, str]:
        """Code of every rejected file, by its true name."""
        names = read_table(self.root / "private" / "A.csv").set_index("label")["file"]
        return {names[row.file]: row.code for row in self.table("rejects").itertuples()}

    def stored(self) -> list[tuple[str, int]]:
        """Patient and fill digest order of the stored pictures."""
        table = self.table("acquisitions")
        names = {PSEUDONYMISER.patient("A", name): name for name in PATIENTS}
        return [(names[row.patient], row.acquisition) for row in table.itertuples()]
