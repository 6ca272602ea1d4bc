"""A clinical table that is right, to be made wrong."""

GOOD = {
    "patient_id": "A0001",
    "hospital": "A",
    "elastography_date": "2015-03-02",
    "biopsy_date": "2015-03-04",
    "serology_date": "2015-03-01",
    "age_years": "44",
    "sex": "M",
    "height_cm": "170",
    "weight_kg": "65.9",
    "bmi_kg_m2": "22.8",
    "hbsag_positive_months": "80",
    "other_liver_disease": "0",
    "viral_coinfection": "0",
    "liver_transplantation": "0",
    "antiviral_treatment_6_months": "0",
    "fasting_glucose_mmol_l": "5.1",
    "platelets_10e9_l": "180",
    "ast_iu_l": "40",
    "alt_iu_l": "45",
    "ggt_iu_l": "30",
    "total_bilirubin_umol_l": "15.9",
    "direct_bilirubin_umol_l": "5.3",
    "indirect_bilirubin_umol_l": "10.6",
    "alp_iu_l": "80",
    "albumin_g_l": "43.5",
    "prothrombin_activity_percent": "90.7",
    "hbeag_positive": "1",
    "chronic_infection": "0",
    "biopsy_length_mm": "17.7",
    "portal_tracts": "9",
    "fibrosis_stage": "2",
    "inflammation_grade": "1",
}


def write(tmp_path, *changes, encoding="utf-8", separator=","):
    rows = [GOOD | {"patient_id": f"A{i:04d}"} | change for i, change in enumerate(changes, 1)]
    lines = [separator.join(GOOD)]
    lines += [separator.join(f'"{v}"' if "," in v else v for v in row.values()) for row in rows]
    path = tmp_path / "clinical.csv"
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path
