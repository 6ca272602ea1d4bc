"""Staging of liver fibrosis from two-dimensional shear-wave elastography pictures.

In the order of the Methods, from what everything rests on to what people read:

- `foundation`: what every package rests on: errors, files, tables, digests, logs and the study's own words
- `workflow`: a run of the study: its configuration, its hold on the folder, the time left and how it failed
- `user_tables`: tables that users write: the data contract, CSV and workbook, and every cell read by it
- `patients`: the cohort's patients: clinical table, pseudonyms, enrolment and splits
- `dicom`: read untrusted DICOM and picture files, and say why one cannot be used
- `elastography`: the elastogram on a screen: layout, colour bar, measurement box, stiffness and the network's square
- `screens`: the screen of any maker: its parts found, its scale read, and profiles of kinds of screens
- `ingestion`: one hospital's files into its store: usable pictures, blanked, and look-alikes between cohorts
- `reading`: readers accept or exclude every picture in the browser, and what the study does with their verdicts
- `pacs`: pictures from a PACS into the cohort folder
- `simulation`: a simulated multicentre cohort, calibrated to the paper
- `screen_kinds`: kinds of screens in a folder of pictures, and profiles proposed for those that are not found
- `preflight`: what can be known before a study runs: the machine, the cohort folder, its configuration
- `identified_reading`: pictures that ingestion could not locate, for squares and profiles by hand
- `network`: the convolutional network, its probabilities and where it looks
- `augmentation`: views of the training pictures: shifted, turned, toned and of another stiffness
- `training`: train an arm's networks, one for each stage question
- `serving`: the trained networks as a frozen study, served by Triton or asked in process
- `comparators`: what the network is compared with: serum indices, stiffness, radiomics and their fusion
- `sample_size`: how many patients a study needs, before there are any
- `statistics`: statistics of diagnostic accuracy; the patient is the unit
- `heterogeneity`: statistics of what differs: pictures of one patient, groups of patients and hospitals
- `bias`: statistics of what flatters or hurts an AUC: the spectrum of stages, errors of the biopsy
- `audit`: audit of published tables: which whole numbers of patients, and which methods, explain them
- `tables`: tables 1 to 4 and the supplementary tables of the paper
- `extended_tables`: tables beyond the paper's: counts, calibration, hospitals, stages, robustness, comparison
- `clinical_decisions`: what accuracy means for decisions: stages ruled out and in, tests one after another
- `recalibration`: probabilities put right on training patients, frozen, and judged in others
- `figures`: the paper's figures and the extended ones
- `reader_agreement`: what two readers agree on, and what leaving pictures out changed
- `generalisability`: how far accuracy holds: between pictures, groups and hospitals, and where elastography failed
- `report`: the self-contained report
- `publication`: the networks of a finished study in one archive with a model card, and such an archive unpacked
- `staging`: stage new patients with the networks of a finished study
- `validation`: external validation of a finished study in other cohorts
"""

__version__ = "0.1.0"
